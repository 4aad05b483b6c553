import { InvalidArgumentError } from '../errors/index.js';

/**
 * A CBOR simple value other than false, true and null: 23 is CBOR's `undefined`, the others are unassigned. JavaScript's own
 * `undefined` means that a member is absent and is never read from CBOR; this class lets the CBOR one survive a round trip.
 */
export class CborSimple {
  /** 0–19, 23 or 32–255. */
  readonly simple: number;

  /** @throws InvalidArgumentError for a number CBOR gives no simple value, or one that is false, true or null. */
  constructor(simple: number) {
    if (!Number.isInteger(simple) || simple < 0 || simple > 255 || (simple > 19 && simple < 32 && simple !== 23)) {
      throw new InvalidArgumentError('simple', `${simple} is not one of 0–19, 23 and 32–255`);
    }
    this.simple = simple;
  }
}
