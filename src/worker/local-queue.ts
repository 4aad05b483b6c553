/** How fast a moving average forgets: the share of a newer value. */
const newShare = 0.2;

/** What is held back for so long is missed by nobody, in milliseconds. */
const momentMs = 50;

/** Decides how many units to claim ahead, from how long handlers take and how long a claim does. */
export class LocalQueueSize {
  readonly #most: number;
  readonly #slots: number;
  #handlerMs: number | undefined;
  #claimMs: number | undefined;

  constructor({ most, slots }: { readonly most: number; readonly slots: number }) {
    this.#most = most;
    this.#slots = slots;
  }

  /** A handler has taken so long for so many units. */
  worked(units: number, ms: number): void {
    this.#handlerMs = average(this.#handlerMs, ms / units);
  }

  /** A claim has taken so long. */
  claimed(ms: number): void {
    this.#claimMs = average(this.#claimMs, ms);
  }

  /**
   * What all slots can work off during two claims: while one brings new units, handlers live on those of the one before; and what they
   * can work off in a moment too short for anybody to miss it. With handlers that take longer it is less than one unit: nothing
   * is held back from other workers.
   */
  get ahead(): number {
    if (this.#handlerMs === undefined || this.#claimMs === undefined) return 0;
    const units = (this.#slots / this.#handlerMs) * Math.max(this.#claimMs * 2, momentMs);
    return Math.min(this.#most, Math.floor(units));
  }
}

function average(old: number | undefined, value: number): number {
  return old === undefined ? value : old + newShare * (value - old);
}
