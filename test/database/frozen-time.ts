import { onTestFinished, vi } from 'vitest';

/** Has what a process remembers for a time last as long as no time is said to pass, until the test is over. (What only waits goes on.) */
export function freezeTime(): { pass(ms: number): void } {
  let now = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  onTestFinished(() => clock.mockRestore());
  return { pass: (ms) => void (now += ms) };
}

/**
 * Has nothing that is set to happen later by `setTimeout` come about unless time is said to pass, until the test is over: what a stalled machine
 * would bring about. What waits by `node:timers/promises`, as until() does, goes on.
 */
export function freezeTimers(): { pass(ms: number): Promise<void> } {
  // Those of before have to be cleared as well: a pool's would end a connection that is in use.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'], shouldClearNativeTimers: true });
  onTestFinished(() => void vi.useRealTimers());
  return {
    pass: async (ms) => {
      await vi.advanceTimersByTimeAsync(ms);
    },
  };
}
