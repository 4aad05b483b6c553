import { UnitBatch, type EncodedUnit } from '../../core/work-unit/unit-batch.js';

interface Waiting {
  readonly unit: EncodedUnit;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Adds units that are asked for one by one, those of the same time in one request. One request at a time: of the same name twice, the
 * last call wins, as requests beside each other may arrive in any order.
 */
export class AddBuffer {
  readonly #write: (batch: UnitBatch) => Promise<unknown>;
  readonly #waiting: Waiting[] = [];
  #isBusy = false;

  /** `write` adds a batch, all or none. */
  constructor(write: (batch: UnitBatch) => Promise<unknown>) {
    this.#write = write;
  }

  /** Resolves once the unit was added. */
  add(unit: EncodedUnit): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ unit, resolve, reject });
      if (this.#isBusy) return;
      this.#isBusy = true;
      // After what else is added in this turn.
      queueMicrotask(() => void this.#writeAll());
    });
  }

  async #writeAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = new UnitBatch();
      const full = this.#waiting.findIndex(({ unit }) => {
        const fits = batch.fits(unit);
        if (fits) batch.add(unit);
        return !fits;
      });
      const taken = this.#waiting.splice(0, full === -1 ? this.#waiting.length : full);
      await this.#write(batch).then(
        () => taken.forEach(({ resolve }) => resolve()),
        (error: unknown) => taken.forEach(({ reject }) => reject(error)),
      );
    }
    this.#isBusy = false;
  }
}

