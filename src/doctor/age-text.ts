/** How long something has lasted: `90 seconds`, `12 minutes`, `3.5 hours`. */
export function ageText(ms: number): string {
  const [seconds, minutes] = [Math.round(ms / 1_000), Math.round(ms / 60_000)];
  if (seconds < 120) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  return minutes < 120 ? `${minutes} minutes` : `${(ms / 3_600_000).toFixed(1)} hours`;
}
