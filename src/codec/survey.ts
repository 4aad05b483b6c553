import { BadCborError } from '../errors/index.js';
import { INDEFINITE, Major } from './head.js';
import { MAX_DEPTH } from './limits.js';
import { isUtf8Between } from './utf8.js';

/**
 * One pass over the bytes of a single CBOR item, before anything else relies on them: cbor-x takes some malformed bytes for
 * well-formed, and recurses without limit. It allocates nothing in proportion to what the bytes claim.
 */
export class Survey {
  /** How many heads (items, chunks not counted, and breaks) there are. */
  items = 0;

  private at = 0;
  private depth = 0;
  // One frame for each open list, map or tag: what it is, and the items it still wants. Those of indefinite length count down
  // from -2, so that a map is at a key whenever its count is even.
  private readonly kinds: number[] = [Major.list];
  private readonly left: number[] = [1];

  constructor(
    private readonly bytes: Uint8Array,
    private readonly view: DataView,
  ) {}

  /** @throws BadCborError when the bytes are not exactly one well-formed item, or it nests too deep, or has a tag too big. */
  run(): this {
    for (;;) {
      while (this.left[this.depth] === 0) {
        if (this.depth-- > 0) continue;
        const extra = this.bytes.length - this.at;
        if (extra > 0) throw new BadCborError(`bytes follow after the end of the item (${extra} of them, from byte ${this.at})`);
        return this;
      }
      this.left[this.depth]!--;
      this.item();
    }
  }

  private item(): void {
    if (this.at >= this.bytes.length) throw this.truncated();
    const initial = this.bytes[this.at++]!;
    const major = initial >> 5;
    const info = initial & 31;
    this.items++;
    if (major === Major.other) {
      this.other(info);
      return;
    }
    const argument = this.argument(major, info);
    switch (major) {
      case Major.bytes:
      case Major.text:
        if (info === INDEFINITE) this.chunks(major);
        else this.string(major, argument);
        return;
      case Major.list:
        this.container(major, info, argument);
        return;
      case Major.map:
        this.container(major, info, 2 * argument);
        return;
      case Major.tag:
        if (argument > 0xffff_ffff) throw this.bad('a tag number is beyond 32 bits');
        this.open(major, 1);
        return;
    }
  }

  /** The number after a head: 0 for an indefinite length, rounded above 2^53 (which no use of it minds). */
  private argument(major: number, info: number): number {
    if (info < 24) return info;
    if (info === INDEFINITE && major >= Major.bytes && major <= Major.map) return 0;
    if (info > 27) throw this.bad(`the additional information ${info} is not allowed here`);
    const at = this.at;
    const end = at + (1 << (info - 24));
    if (end > this.bytes.length) throw this.truncated();
    this.at = end;
    if (info === 24) return this.bytes[at]!;
    if (info === 25) return this.view.getUint16(at);
    if (info === 26) return this.view.getUint32(at);
    return this.view.getUint32(at) * 0x1_0000_0000 + this.view.getUint32(at + 4);
  }

  private string(major: number, length: number): void {
    const start = this.at;
    const end = start + length;
    if (end > this.bytes.length) throw this.truncated();
    this.at = end;
    if (major === Major.text && !isUtf8Between(this.bytes, start, end)) throw this.bad('a text is not UTF-8', start);
  }

  /** A string of indefinite length: strings of the same type and of definite length up to a break. */
  private chunks(major: number): void {
    for (;;) {
      if (this.at >= this.bytes.length) throw this.truncated();
      const initial = this.bytes[this.at++]!;
      if (initial === 0xff) return;
      const info = initial & 31;
      if (initial >> 5 !== major || info === INDEFINITE) throw this.bad('a chunked string holds something that is no chunk of it');
      this.string(major, this.argument(major, info));
    }
  }

  private container(major: number, info: number, wanted: number): void {
    if (info === INDEFINITE) {
      this.open(major, -2);
      return;
    }
    const following = this.bytes.length - this.at;
    if (wanted > following) throw this.bad(`a list or map claims ${wanted} items, but only ${following} bytes follow`);
    this.open(major, wanted);
  }

  private open(kind: number, wanted: number): void {
    if (this.depth >= MAX_DEPTH) throw this.bad(`it nests deeper than ${MAX_DEPTH} levels`);
    this.depth++;
    this.kinds[this.depth] = kind;
    this.left[this.depth] = wanted;
  }

  /** Floats, simple values and the break. */
  private other(info: number): void {
    if (info === INDEFINITE) {
      this.break();
      return;
    }
    const argument = this.argument(Major.other, info);
    if (info === 24 && argument < 32) throw this.bad(`the simple value ${argument} is not allowed in two bytes`);
  }

  private break(): void {
    // The break was counted as an item of its container, which it is not.
    const left = this.left[this.depth]! + 1;
    const isMap = this.kinds[this.depth] === Major.map;
    if (left >= 0 || (isMap && (left & 1) !== 0)) throw this.bad('a break is out of place');
    this.depth--;
  }

  private truncated(): BadCborError {
    return new BadCborError(`the bytes end in the middle of an item (there are ${this.bytes.length})`);
  }

  private bad(problem: string, at = this.at - 1): BadCborError {
    return new BadCborError(`${problem} (near byte ${at})`);
  }
}
