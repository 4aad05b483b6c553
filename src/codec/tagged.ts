/**
 * A tag this package gives no meaning to, with the value it stands around: read and written back unchanged. The tags 0 (a date as
 * text), 2 and 3 (big integers), 24 (embedded CBOR) and a tag 1, 37 or 128 around something unfitting are among them.
 */
export class Tagged {
  /** The number of the tag: an integer from 0 to 2^32 − 1. */
  readonly tag: number;
  readonly value: unknown;

  constructor(tag: number, value: unknown) {
    this.tag = tag;
    this.value = value;
  }
}
