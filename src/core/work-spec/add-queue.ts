import type { Bucket } from '../backend.js';
import { addBatchForIds } from '../work-unit/add-units.js';
import { UnitBatch, type EncodedUnit } from '../work-unit/unit-batch.js';

/** A call that waits for its unit to be added. */
interface Call {
  readonly unit: EncodedUnit;
  readonly resolve: (id: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Adds units that many callers ask for one by one. The first call of a spec goes at once, with those of the same turn of the event loop's
 * microtasks; what comes while its statement is under way goes together in the next. A caller alone waits no longer than without
 * this; many share one round trip and one commit.
 */
export class AddQueue {
  readonly #bucket: Bucket;
  /** By spec id: who waits for the next statement. A spec with nothing under way and nobody waiting is not in it. */
  readonly #waiting = new Map<number, Call[]>();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** Adds or replaces a unit; resolves to its id after the commit, or to undefined if somebody has deleted it since. Raises Gone. */
  add(specId: number, unit: EncodedUnit): Promise<number | undefined> {
    return new Promise((resolve, reject) => {
      const call = { unit, resolve, reject };
      const waiting = this.#waiting.get(specId);
      if (waiting !== undefined) {
        waiting.push(call);
        return;
      }
      this.#waiting.set(specId, [call]);
      queueMicrotask(() => void this.#drain(specId));
    });
  }

  /** Sends what is waiting without waiting for what is under way: the connection is about to be closed to all that begins later. */
  flush(): void {
    for (const [specId, waiting] of this.#waiting) {
      while (waiting.length > 0) void this.#sendSome(specId, waiting);
    }
  }

  async #drain(specId: number): Promise<void> {
    const waiting = this.#waiting.get(specId) ?? [];
    while (waiting.length > 0) await this.#sendSome(specId, waiting);
    this.#waiting.delete(specId);
  }

  /** Takes from the front as many calls as go into one statement, and sends them. Never rejects: what goes wrong is told to each. */
  async #sendSome(specId: number, waiting: Call[]): Promise<void> {
    const batch = new UnitBatch();
    for (const { unit } of waiting) {
      if (!batch.fits(unit)) break;
      batch.add(unit);
    }
    const calls = waiting.splice(0, batch.taken);
    try {
      const idOf = await addBatchForIds(this.#bucket, specId, batch);
      for (const { unit, resolve } of calls) resolve(idOf(unit.name));
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }
}
