/** Milliseconds since 1970, as all processes of this machine have them, to the microsecond. */
export function epochMs(): number {
  return performance.timeOrigin + performance.now();
}
