import { expect, test } from 'vitest';
import { LocalQueueSize } from '../../src/worker/local-queue.js';

/** After a hundred claims and handlers that take so long. */
function sizeAfter({ handlerMs, claimMs, most = 500 }: { handlerMs: number; claimMs: number; most?: number }): LocalQueueSize {
  const size = new LocalQueueSize({ most, slots: 10 });
  for (let round = 0; round < 100; round++) {
    size.worked(1, handlerMs);
    size.claimed(claimMs);
  }
  return size;
}

test('nothing is claimed ahead at first', () => {
  expect(new LocalQueueSize({ most: 500, slots: 10 }).ahead).toBe(0);
});

test('handlers that take longer than two claims of all slots need nothing ahead', () => {
  expect(sizeAfter({ handlerMs: 1_001, claimMs: 50 }).ahead).toBe(0);
});

test('shorter ones need what they work off during two claims', () => {
  expect(sizeAfter({ handlerMs: 20, claimMs: 50 }).ahead).toBe(50);
  expect(sizeAfter({ handlerMs: 20, claimMs: 5 }).ahead).toBe(25);
});

test('but no more than is allowed', () => {
  expect(sizeAfter({ handlerMs: 0.01, claimMs: 5 }).ahead).toBe(500);
  expect(sizeAfter({ handlerMs: 0.01, claimMs: 5, most: 0 }).ahead).toBe(0);
  expect(sizeAfter({ handlerMs: 0, claimMs: 5 }).ahead).toBe(500);
});

test('when the work gets longer, less is claimed ahead', () => {
  const size = sizeAfter({ handlerMs: 0.01, claimMs: 5 });
  for (let round = 0; round < 20; round++) size.worked(1, 1_000);
  expect(size.ahead).toBe(0);
});

test('units of a batch share the time of their handler', () => {
  const size = new LocalQueueSize({ most: 500, slots: 10 });
  size.worked(100, 2_000);
  size.claimed(50);
  expect(size.ahead).toBe(50);
});
