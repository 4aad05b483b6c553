// @ts-check
/*
 * How the memory that lease-table.ts writes and lease-thread.js reads is laid out: chunks of slots, each with the generations of its
 * slots first and then their fields. Plain JavaScript, as the thread reads it without any loader.
 */

/** How many attempts a chunk holds. */
export const slotsOfChunk = 1_024;

/** How many bytes of a chunk the generations take. */
export const generationBytes = slotsOfChunk * Int32Array.BYTES_PER_ELEMENT;

/** How many numbers a slot has. */
export const slotWidth = 4;

/** Where in a slot which number is. Times are those of `clock()`. */
export const columns = Object.freeze({ unitId: 0, number: 1, heldAt: 2, endsAt: 3 });

/** What `performance.now()` counts from may differ between threads; what the high resolution timer counts from does not. */
const origin = Number(process.hrtime.bigint()) / 1e6 - performance.now();

/** Milliseconds, the same in all threads of the process; never set back. */
export function clock() {
  return origin + performance.now();
}
