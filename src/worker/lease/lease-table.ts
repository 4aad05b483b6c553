import type { PostgresAttempt } from '../../core/attempt/postgres-attempt.js';
import { columns, generationBytes, slotsOfChunk, slotWidth } from './table-layout.js';

interface Chunk {
  readonly buffer: SharedArrayBuffer;
  readonly generations: Int32Array;
  readonly fields: Float64Array;
}

/**
 * The attempts held at this moment, in memory that the lease thread reads while this thread is blocked. No message is sent for an
 * attempt, as most have ended long before their lease is due.
 *
 * A slot's fields are written before its generation, which is 0 while the slot is free and another number each time it is taken. The
 * thread that reads a slot compares the generation before and after. Should it mix up two attempts all the same, it asks the
 * database about a unit and a number that do not belong together, and the answer is of no effect here, as the generation is another.
 */
export class LeaseTable {
  readonly #chunks: Chunk[] = [];
  readonly #onGrown: (buffer: SharedArrayBuffer) => void;
  readonly #attempts: (PostgresAttempt | undefined)[] = [];
  readonly #free: number[] = [];
  #lastGeneration = 0;

  /** @param onGrown is told of memory that the thread must read as well. */
  constructor(onGrown: (buffer: SharedArrayBuffer) => void) {
    this.#onGrown = onGrown;
  }

  get buffers(): readonly SharedArrayBuffer[] {
    return this.#chunks.map(({ buffer }) => buffer);
  }

  /** Times are those of the thread's clock, in milliseconds. */
  hold(attempt: PostgresAttempt, heldAt: number, endsAt: number): void {
    let slot = this.#slotOf(attempt);
    if (slot === undefined) {
      slot = this.#free.pop() ?? this.#grow();
      // Kept with the attempt: a Map by number would be asked for it four times an attempt.
      attempt.leaseSlot = slot;
      this.#attempts[slot] = attempt;
    }
    const { generations, fields } = this.#chunkOf(slot);
    const index = slot % slotsOfChunk;
    const first = index * slotWidth;
    fields[first + columns.unitId] = attempt.workUnit.id;
    fields[first + columns.number] = attempt.number;
    fields[first + columns.heldAt] = heldAt;
    fields[first + columns.endsAt] = endsAt;
    Atomics.store(generations, index, this.#nextGeneration());
  }

  /** As if it had been held since then. */
  holdSince(slot: number, heldAt: number): void {
    const { generations, fields } = this.#chunkOf(slot);
    const index = slot % slotsOfChunk;
    fields[index * slotWidth + columns.heldAt] = heldAt;
    Atomics.store(generations, index, this.#nextGeneration());
  }

  release(attempt: PostgresAttempt): void {
    const slot = this.#slotOf(attempt);
    if (slot === undefined) return;
    this.#attempts[slot] = undefined;
    Atomics.store(this.#chunkOf(slot).generations, slot % slotsOfChunk, 0);
    this.#free.push(slot);
  }

  releaseAll(): void {
    for (const attempt of this.#attempts) if (attempt !== undefined) this.release(attempt);
  }

  /** The attempt in a slot, if it is still the same and not past its end. */
  attemptAt(slot: number, generation: number, now: number): PostgresAttempt | undefined {
    const { generations, fields } = this.#chunkOf(slot);
    const index = slot % slotsOfChunk;
    if (Atomics.load(generations, index) !== generation) return undefined;
    return now < (fields[index * slotWidth + columns.endsAt] ?? 0) ? this.#attempts[slot] : undefined;
  }

  /** Undefined: it is not held. */
  #slotOf(attempt: PostgresAttempt): number | undefined {
    const slot = attempt.leaseSlot;
    return slot !== undefined && this.#attempts[slot] === attempt ? slot : undefined;
  }

  #chunkOf(slot: number): Chunk {
    return this.#chunks[Math.floor(slot / slotsOfChunk)] as Chunk;
  }

  #nextGeneration(): number {
    this.#lastGeneration = (this.#lastGeneration % 0x7fff_ffff) + 1;
    return this.#lastGeneration;
  }

  /** Resolves to the first slot of the new memory; the others are free. */
  #grow(): number {
    const buffer = new SharedArrayBuffer(generationBytes + slotsOfChunk * slotWidth * Float64Array.BYTES_PER_ELEMENT);
    const first = this.#chunks.length * slotsOfChunk;
    this.#chunks.push({
      buffer,
      generations: new Int32Array(buffer, 0, slotsOfChunk),
      fields: new Float64Array(buffer, generationBytes),
    });
    // The lowest is taken next.
    for (let index = slotsOfChunk - 1; index > 0; index--) this.#free.push(first + index);
    this.#onGrown(buffer);
    return first;
  }
}
