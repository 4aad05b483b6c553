/** The longest a timer can wait, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/** Runs something after so many milliseconds, however many; never if they are Infinity. Returns what stops that. */
export function runAfter(ms: number, run: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const wait = (leftMs: number): void => {
    const pauseMs = Math.min(leftMs, longestTimerMs);
    timer = setTimeout(() => (pauseMs === leftMs ? run() : wait(leftMs - pauseMs)), Math.max(0, pauseMs));
  };
  if (ms !== Number.POSITIVE_INFINITY) wait(ms);
  return () => clearTimeout(timer);
}
