import type { Attempt } from '../core/attempt/attempt.js';
import type { RegisteredHandler } from './registered-handler.js';

/** A unit that has been claimed, but is in no handler's hands yet. */
export interface QueuedUnit {
  readonly attempt: Attempt;
  readonly handler: RegisteredHandler;
  /** When it was claimed, by performance.now(). */
  readonly claimedAt: number;
}

/** When so many in front have been taken the array is cut. */
const cutAfter = 1_000;

/** Claimed units in their order. Taking from the front copies nothing, however many there are. */
export class UnitQueue {
  #units: QueuedUnit[] = [];
  #taken = 0;

  get length(): number {
    return this.#units.length - this.#taken;
  }

  get first(): QueuedUnit | undefined {
    return this.#units[this.#taken];
  }

  push(unit: QueuedUnit): void {
    this.#units.push(unit);
  }

  /** Takes those in front that are for the same handler as the first, so many at most. */
  take(most: number): QueuedUnit[] {
    const { first } = this;
    if (first === undefined) return [];
    // With room for just this one, as it is most of the time.
    const taken = [first];
    this.#taken++;
    for (let next = this.first; next?.handler === first.handler && taken.length < most; next = this.first) {
      taken.push(next);
      this.#taken++;
    }
    this.#cut();
    return taken;
  }

  /** Takes an attempt out; undefined: it is not here. */
  remove(number: number): Attempt | undefined {
    const found = this.#units.findIndex(({ attempt }, index) => index >= this.#taken && attempt.number === number);
    if (found === -1) return undefined;
    const [unit] = this.#units.splice(found, 1);
    this.#cut();
    return unit?.attempt;
  }

  takeAll(): QueuedUnit[] {
    const all = this.#units.slice(this.#taken);
    this.#units = [];
    this.#taken = 0;
    return all;
  }

  /** Lets go of what was taken, now and then. */
  #cut(): void {
    if (this.#taken < this.#units.length && this.#taken < cutAfter) return;
    this.#units = this.#units.slice(this.#taken);
    this.#taken = 0;
  }
}
