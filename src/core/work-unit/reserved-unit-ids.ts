import type { Row } from '../../database/index.js';

/** How many are reserved together, and how few are left then. */
const reservedAtOnce = 64;
const fewest = 16;

/** For how long, in milliseconds: among much younger ones they would make ranges of leases wide. */
const reservedForMs = 600_000;

/** How long it is not tried again, once it has failed, in milliseconds: those who may not use sequences never can. */
const pauseMs = 60_000;

/** Ids for units to come, whose reservation is on the disk: no crash of the server has it give them out again. */
export class ReservedUnitIds {
  #ids: number[] = [];
  /** Of no_crash_since: another one after each crash. */
  #epoch: string | null = null;
  #until = 0;
  #notBefore = 0;

  /** Whether it is worth trying. */
  get mayReserve(): boolean {
    return performance.now() >= this.#notBefore;
  }

  /** Says that they could not be reserved, or not be made use of. */
  failed(): void {
    this.#ids = [];
    this.#notBefore = performance.now() + pauseMs;
  }

  /** How many to reserve, for additions of so many. */
  missing(count: number): number {
    return this.#ids.length < Math.max(fewest, count) ? reservedAtOnce : 0;
  }

  /** Ascending, and the epoch that they are of; undefined if there are not enough. */
  take(count: number): { readonly ids: readonly number[]; readonly epoch: string } | undefined {
    if (performance.now() > this.#until) this.#ids = [];
    if (this.#epoch === null || this.#ids.length < count) return undefined;
    return { ids: this.#ids.splice(0, count), epoch: this.#epoch };
  }

  /** Takes the answer of flushAndReserve. Its epoch is null after a crash, until the first claim. */
  add({ epoch, ids }: Row): void {
    if (epoch !== this.#epoch) this.#ids = [];
    this.#epoch = typeof epoch === 'string' ? epoch : null;
    if (ids === null || this.#epoch === null) return;
    if (this.#ids.length === 0) this.#until = performance.now() + reservedForMs;
    // Of two answers the later one may have the smaller ones.
    this.#ids = [...this.#ids, ...(ids as readonly unknown[]).map(Number)].sort((a, b) => a - b);
  }
}
