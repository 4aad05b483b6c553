import { byteaArray, float8Array, int8Array } from '../../database/index.js';

/** Where the first unit of a spec was seen in a sealed generation, as parameters of a claim. */
export interface SealedFront {
  /** Another one after each crash of the server, which may have forgotten the claims that had brought the front so far. */
  readonly epoch: string;
  readonly generation: number;
  readonly rank: number;
  readonly name: Uint8Array;
}

/** A look at all specs is told of so many at most. */
const mostSent = 100;

/** For how many specs a process remembers this. */
const mostRemembered = 10_000;

/**
 * Where the first unit of each spec was last seen in the sealed generation of `ready`: nothing is ever added to that, so the next claim
 * can begin there, and need not pass by what was claimed in front of it. Others claim as well: what is remembered is never too far on,
 * only not far enough; unless the server crashes, which begins a new epoch.
 */
export class SealedFronts {
  #epoch: string | null = null;
  #generation = 0;
  readonly #ofSpec = new Map<number, SealedFront>();

  get(specId: number): SealedFront | undefined {
    return this.#ofSpec.get(specId);
  }

  /** The first specs of those known, as parameters: spec ids, ranks, names; and the generation and its epoch. */
  parameters(): [specIds: Buffer, ranks: Buffer, names: Buffer, generation: number, epoch: string | null] {
    const known = [...this.#ofSpec].slice(0, mostSent);
    return [
      int8Array(known.map(([specId]) => specId)),
      float8Array(known.map(([, { rank }]) => rank)),
      byteaArray(known.map(([, { name }]) => name)),
      this.#generation,
      this.#epoch,
    ];
  }

  set(specId: number, front: SealedFront): void {
    // An answer may come late; generations only grow.
    const isSameEpoch = front.epoch === this.#epoch;
    if (isSameEpoch && front.generation < this.#generation) return;
    if (!isSameEpoch || front.generation > this.#generation || this.#ofSpec.size >= mostRemembered) {
      this.#epoch = front.epoch;
      this.#generation = front.generation;
      this.#ofSpec.clear();
    }
    this.#ofSpec.set(specId, front);
  }
}
