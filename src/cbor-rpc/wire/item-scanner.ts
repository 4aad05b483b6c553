import { BadCborError } from '../../errors/index.js';
import { INDEFINITE, Major } from '../../codec/index.js';

/** What an item may have at most, to be looked at any further. */
export interface ItemLimits {
  readonly bytes: number;
  /** Items within it, itself included. */
  readonly items: number;
  /** Lists, maps, tags and chunked strings around an item. */
  readonly depth: number;
}

/** In place of the items that a container still wants: as many as come before a break. */
const untilBreak = -1;

/**
 * Finds the end of one CBOR item in bytes that come piece by piece, reading each byte of a head once and no byte of a string.
 * It keeps a few numbers, whatever the bytes claim: a length or count beyond the limits is refused as soon as it has been read.
 *
 * It says where an item ends, not that it is right: `decodeValue` checks the rest.
 */
export class ItemScanner {
  readonly #limits: ItemLimits;
  /** For each open container the items it still wants, the item itself at the bottom. */
  #left: number[] = [1];
  #items = 0;
  #bytes = 0;
  /** Bytes of a string that are still to come. */
  #skip = 0;
  /** Of the head at hand: its first byte, the bytes of its argument that are still to come, and the argument so far. */
  #initial = 0;
  #headLeft = 0;
  #argument = 0;

  constructor(limits: ItemLimits) {
    this.#limits = limits;
  }

  /**
   * Goes on with the bytes from an index on. Returns the index after the item's last byte, and is ready for the next item; or -1 when the item goes
   * on after these bytes.
   * @throws BadCborError when no item goes on like this, or none within the limits.
   */
  scan(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, bytes.length - at);
        this.#skip -= step;
        at += step;
      } else if (this.#headLeft > 0) {
        this.#argument = this.#argument * 256 + (bytes[at++] ?? 0);
        this.#headLeft--;
        if (this.#headLeft === 0) this.#head();
      } else {
        this.#begin(bytes[at++] ?? 0);
      }
      if (this.#skip === 0 && this.#headLeft === 0 && this.#isComplete()) {
        this.#reset();
        return at;
      }
    }
    this.#bytes += bytes.length - from;
    if (this.#bytes > this.#limits.bytes) throw this.#tooLong();
    return -1;
  }

  #begin(initial: number): void {
    this.#initial = initial;
    const info = initial & 31;
    if (info < 24 || info === INDEFINITE) {
      this.#argument = info;
      this.#head();
    } else if (info < 28) {
      this.#argument = 0;
      this.#headLeft = 1 << (info - 24);
    } else {
      throw new BadCborError(`the additional information ${info} has no meaning`);
    }
  }

  /** A head has been read. */
  #head(): void {
    const major = this.#initial >> 5;
    const isIndefinite = (this.#initial & 31) === INDEFINITE;
    if (major === Major.other && isIndefinite) {
      if (this.#left.at(-1) !== untilBreak) throw new BadCborError('a break is where nothing is to be ended');
      this.#left.pop();
      return;
    }
    if (isIndefinite && (major < Major.bytes || major > Major.map)) throw new BadCborError('an item cannot be of indefinite length');
    this.#count();
    switch (major) {
      case Major.bytes:
      case Major.text:
        if (isIndefinite) this.#open(untilBreak);
        else if (this.#argument > this.#limits.bytes) throw this.#tooLong();
        else this.#skip = this.#argument;
        return;
      case Major.list:
        this.#open(isIndefinite ? untilBreak : this.#argument);
        return;
      case Major.map:
        this.#open(isIndefinite ? untilBreak : 2 * this.#argument);
        return;
      case Major.tag:
        this.#open(1);
        return;
    }
  }

  #count(): void {
    if (++this.#items > this.#limits.items) throw this.#tooMany();
    const last = this.#left.length - 1;
    const left = this.#left[last] ?? 0;
    if (left !== untilBreak) this.#left[last] = left - 1;
  }

  #open(wanted: number): void {
    // What a list claims to hold it must hold: there is no need to wait for that.
    if (wanted > this.#limits.items - this.#items) throw this.#tooMany();
    if (this.#left.length > this.#limits.depth) throw new BadCborError(`it nests deeper than ${this.#limits.depth} levels`);
    this.#left.push(wanted);
  }

  #isComplete(): boolean {
    while (this.#left.at(-1) === 0) this.#left.pop();
    return this.#left.length === 0;
  }

  #reset(): void {
    this.#left = [1];
    this.#items = 0;
    this.#bytes = 0;
  }

  #tooLong(): BadCborError {
    return new BadCborError(`it is longer than ${this.#limits.bytes} bytes`);
  }

  #tooMany(): BadCborError {
    return new BadCborError(`it has more than ${this.#limits.items} items`);
  }
}
