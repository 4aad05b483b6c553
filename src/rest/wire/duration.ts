/** Milliseconds, fractions included, as whole nanoseconds: as a bigint where a number would not be exact. */
export function durationToWire(ms: number): number | bigint {
  const ns = Math.round(ms * 1e6);
  if (Number.isSafeInteger(ns)) return ns;
  const whole = Math.trunc(ms);
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6));
}

/** Nanoseconds, as `integerMember` reads them, in milliseconds. */
export function durationFromWire(ns: number | bigint): number {
  if (typeof ns === 'number') return ns / 1e6;
  // In two parts: the nearest double to the nanoseconds may be off by some hundred of them.
  return Number(ns / 1_000_000n) + Number(ns % 1_000_000n) / 1e6;
}
