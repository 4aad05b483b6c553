import type { Bucket } from '../backend.js';
import { keyOf, type EncodedUnit } from '../work-unit/unit-batch.js';
import { AddLane } from './add-lane.js';

/** Adds units that many callers ask for one by one, those of a spec together. */
export class AddQueue {
  readonly #bucket: Bucket;
  /** By spec id. A spec with nothing under way and nobody waiting is not in it. */
  readonly #lanes = new Map<number, AddLane>();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /**
   * Adds or replaces a unit, which may still be with its schema; resolves to its id after the commit, or to undefined if somebody has
   * deleted it since. What was asked for before close() comes to its end. Raises Closed, Gone.
   */
  add(specId: number, name: Uint8Array, unit: EncodedUnit | Promise<EncodedUnit>): Promise<number | undefined> {
    const { database } = this.#bucket.backend;
    return new Promise((resolve, reject) => {
      if (unit instanceof Promise) unit.catch(() => undefined);
      database.checkOpen();
      let lane = this.#lanes.get(specId);
      if (lane === undefined) {
        const end = database.begin();
        lane = new AddLane(this.#bucket, specId, () => {
          this.#lanes.delete(specId);
          end();
        });
        this.#lanes.set(specId, lane);
      }
      lane.add(keyOf(name), unit, { resolve, reject });
    });
  }
}
