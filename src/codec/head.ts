/** The major types of CBOR (RFC 8949, section 3.1): the upper three bits of an item's first byte. */
export const Major = { unsigned: 0, negative: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, other: 7 } as const;

/** The additional information of an item of indefinite length, and of the break that ends one. */
export const INDEFINITE = 31;

/**
 * Reads the heads of items, one after the other, from bytes known to be well-formed. A head is an item without its payload: a
 * list or map is a head followed by its items, so that a walk over all heads needs no stack.
 */
export class HeadReader {
  /** Where the next head starts. */
  at = 0;
  major = 0;
  /** The lower five bits of the first byte. */
  info = 0;
  /** The number after the head: a length, count, tag or value. 0 for indefinite lengths; rounded above 2^53. */
  argument = 0;

  constructor(readonly view: DataView) {}

  next(): void {
    const initial = this.view.getUint8(this.at++);
    this.major = initial >> 5;
    this.info = initial & 31;
    this.argument = this.info < 24 ? this.info : this.longArgument();
  }

  private longArgument(): number {
    const { view, at } = this;
    switch (this.info) {
      case 24:
        this.at += 1;
        return view.getUint8(at);
      case 25:
        this.at += 2;
        return view.getUint16(at);
      case 26:
        this.at += 4;
        return view.getUint32(at);
      case 27:
        this.at += 8;
        return view.getUint32(at) * 0x1_0000_0000 + view.getUint32(at + 4);
      default:
        return 0;
    }
  }
}
