import { Survey } from '../../codec/survey.js';
import { MalformedRequestError } from '../../errors/index.js';

/** Most values in the body of a request, each member of a list or map counting; and as many again in the data that it holds in encoded form. */
export const maxValues = 2_000_000;

/**
 * How many values a body may still hold in encoded form. A value takes a hundred times the byte that an empty one is sent in, and keeps everybody else
 * waiting while it is made: without a limit a body of 64 MiB fills the memory.
 */
export class ValueBudget {
  readonly #most: number;
  #bytes = 0;

  constructor(most = maxValues) {
    this.#most = most;
  }

  /** Takes those of some CBOR. Raises MalformedRequest when there are too many; BadCbor. */
  take(cbor: Uint8Array): void {
    this.#bytes += cbor.length;
    // There are no more values than bytes, so that they mostly need not be counted.
    if (this.#bytes <= this.#most) return;
    const { items } = new Survey(cbor, new DataView(cbor.buffer, cbor.byteOffset, cbor.byteLength)).run();
    this.#bytes += items - cbor.length;
    if (this.#bytes > this.#most) throw tooManyValues(this.#most);
  }
}

export function tooManyValues(most: number): MalformedRequestError {
  return new MalformedRequestError(`the body holds more than ${most} values; send less at once`);
}
