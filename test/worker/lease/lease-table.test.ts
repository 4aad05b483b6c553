import { expect, test } from 'vitest';
import type { PostgresAttempt } from '../../../src/core/attempt/postgres-attempt.js';
import { LeaseTable } from '../../../src/worker/lease/lease-table.js';
import { columns, generationBytes, slotsOfChunk, slotWidth } from '../../../src/worker/lease/table-layout.js';

const attempt = (number: number): PostgresAttempt => ({ number, workUnit: { id: number * 10 } }) as unknown as PostgresAttempt;

/** What the thread sees in a slot. */
function slotOf({ buffers }: LeaseTable, slot: number) {
  const buffer = buffers[Math.floor(slot / slotsOfChunk)]!;
  const index = slot % slotsOfChunk;
  const fields = new Float64Array(buffer, generationBytes).subarray(index * slotWidth, (index + 1) * slotWidth);
  return {
    generation: new Int32Array(buffer)[index]!,
    unitId: fields[columns.unitId],
    number: fields[columns.number],
    heldAt: fields[columns.heldAt],
    endsAt: fields[columns.endsAt],
  };
}

test('an attempt has a slot until it is released', () => {
  const table = new LeaseTable(() => undefined);
  const seventh = attempt(7);
  table.hold(seventh, 100, 200);
  const { generation, ...fields } = slotOf(table, 0);
  expect(fields).toEqual({ unitId: 70, number: 7, heldAt: 100, endsAt: 200 });
  expect(generation).not.toBe(0);
  expect(table.attemptAt(0, generation, 199)?.number).toBe(7);
  expect(table.attemptAt(0, generation, 200)).toBeUndefined();
  table.release(seventh);
  expect(slotOf(table, 0).generation).toBe(0);
  expect(table.attemptAt(0, generation, 100)).toBeUndefined();
});

test('a slot that is taken again has another generation, and so has one whose attempt is held anew', () => {
  const table = new LeaseTable(() => undefined);
  const generations = new Set<number>();
  for (const held of [attempt(1), attempt(2), attempt(3)]) {
    table.hold(held, 0, Number.POSITIVE_INFINITY);
    generations.add(slotOf(table, 0).generation);
    table.holdSince(0, 5);
    expect(slotOf(table, 0)).toMatchObject({ heldAt: 5, endsAt: Number.POSITIVE_INFINITY });
    generations.add(slotOf(table, 0).generation);
    table.hold(held, 6, 7);
    generations.add(slotOf(table, 0).generation);
    table.release(held);
    table.release(held);
  }
  expect(generations.size).toBe(9);
  expect(table.buffers).toHaveLength(1);
});

test('what was never held, or is held no longer, or by another table, has no slot of another attempt', () => {
  const [table, other] = [new LeaseTable(() => undefined), new LeaseTable(() => undefined)];
  const [first, second, third] = [attempt(1), attempt(2), attempt(3)];
  other.hold(attempt(4), 0, 1);
  other.hold(third, 0, 1);
  table.hold(first, 0, 1);
  table.release(first);
  table.hold(second, 0, 1);
  // These would have the slot of the second.
  table.release(first);
  table.release(attempt(5));
  other.release(second);
  expect(slotOf(table, 0)).toMatchObject({ number: 2 });
  expect(slotOf(table, 0).generation).not.toBe(0);
  // And this one is not in the slot that it has in the other table.
  table.hold(third, 0, 1);
  table.hold(first, 0, 1);
  expect([0, 1, 2].map((slot) => slotOf(table, slot).number)).toEqual([2, 3, 1]);
  expect(slotOf(other, 0).generation).not.toBe(0);
});

test('it grows, tells so, and uses free slots before it grows again', () => {
  const grown: SharedArrayBuffer[] = [];
  const table = new LeaseTable((buffer) => grown.push(buffer));
  for (let number = 1; number <= slotsOfChunk + 1; number++) table.hold(attempt(number), 0, 1);
  expect(grown).toEqual(table.buffers);
  expect(grown).toHaveLength(2);
  expect(slotOf(table, slotsOfChunk)).toMatchObject({ number: slotsOfChunk + 1 });
  table.releaseAll();
  for (let number = 1; number <= 2 * slotsOfChunk; number++) table.hold(attempt(number), 0, 1);
  expect(grown).toHaveLength(2);
  const numbers = Array.from({ length: 2 * slotsOfChunk }, (_, slot) => slotOf(table, slot).number!);
  expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 2 * slotsOfChunk }, (_, index) => index + 1));
});
