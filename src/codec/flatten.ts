import { HeadReader, INDEFINITE, Major } from './head.js';

/**
 * The form in which everything passes through cbor-x unharmed: lists whose first item says what the others are. It uses only
 * integers, strings and lists, about which cbor-x has no options, extensions or opinions.
 *
 * | kind | the list |
 * |---|---|
 * | list | [kind, item...] |
 * | map | [kind, key, value, key, value...] |
 * | tag | [kind, number, value] |
 * | float | [kind, number] |
 * | simple | [kind, number] |
 * | text | [kind, its UTF-8 as a byte string] (where cbor-x would drop a byte order mark) |
 */
export const Kind = { list: 0, map: 1, tag: 2, float: 3, simple: 4, text: 5 } as const;

/** The first byte of a byte order mark in UTF-8 (and of some other characters: it does no harm to treat them alike). */
const BYTE_ORDER_MARK = 0xef;

/** Above this many bytes, the native copy beats the loop. */
const LONG_COPY = 64;

/**
 * Rewrites well-formed CBOR into the CBOR of its flat form, for `revive`. Only heads change, so one pass without a stack does it.
 *
 * @param items How many heads a `Survey` has counted.
 */
export function flatten(bytes: Uint8Array, view: DataView, items: number): Uint8Array {
  // A head grows by at most three bytes: the kind, and a longer count of a list (see writeHead); all others by two.
  return new Flattener(bytes, view, new Uint8Array(bytes.length + 3 * items)).run();
}

class Flattener {
  private readonly head: HeadReader;
  private readonly outView: DataView;
  private end = 0;

  constructor(
    private readonly bytes: Uint8Array,
    view: DataView,
    private readonly out: Uint8Array,
  ) {
    this.head = new HeadReader(view);
    this.outView = new DataView(out.buffer);
  }

  run(): Uint8Array {
    while (this.head.at < this.bytes.length) this.item();
    return this.out.subarray(0, this.end);
  }

  private item(): void {
    const { head } = this;
    const start = head.at;
    head.next();
    switch (head.major) {
      case Major.bytes:
      case Major.text:
        if (head.info === INDEFINITE) {
          this.chunks(head.major);
          return;
        }
        this.string(start);
        return;
      case Major.list:
        this.list(Kind.list, head.argument);
        return;
      case Major.map:
        this.list(Kind.map, 2 * head.argument);
        return;
      case Major.tag:
        this.kind(0x83, Kind.tag);
        this.number(Major.unsigned, head.argument);
        return;
      case Major.other:
        this.other(start);
        return;
      default:
        this.copy(start, head.at);
        return;
    }
  }

  private list(kind: number, count: number): void {
    if (this.head.info === INDEFINITE) this.out[this.end++] = 0x9f;
    else this.number(Major.list, count + 1);
    this.out[this.end++] = kind;
  }

  private other(start: number): void {
    const { info, argument, at } = this.head;
    if (info === INDEFINITE || (info >= 20 && info <= 22)) {
      this.copy(start, at);
      return;
    }
    if (info < 25) {
      this.kind(0x82, Kind.simple);
      this.number(Major.unsigned, argument); return;
    }
    this.kind(0x82, Kind.float);
    this.copy(start, at);
  }

  /** The string whose head, from `start` on, was just read. */
  private string(start: number): void {
    const { head, bytes } = this;
    const from = head.at;
    head.at += head.argument;
    if (head.major === Major.bytes || bytes[from] !== BYTE_ORDER_MARK) {
      this.copy(start, head.at);
      return;
    }
    this.kind(0x82, Kind.text);
    this.number(Major.bytes, head.argument);
    this.copy(from, head.at);
  }

  private chunks(major: number): void {
    const { head } = this;
    const chunks: Uint8Array[] = [];
    for (head.next(); head.major !== Major.other; head.next()) {
      chunks.push(this.bytes.subarray(head.at, head.at + head.argument));
      head.at += head.argument;
    }
    const joined = Buffer.concat(chunks);
    const guarded = major === Major.text && joined[0] === BYTE_ORDER_MARK;
    if (guarded) this.kind(0x82, Kind.text);
    this.number(guarded ? Major.bytes : major, joined.length);
    this.out.set(joined, this.end);
    this.end += joined.length;
  }

  private kind(listHead: number, kind: number): void {
    this.out[this.end++] = listHead;
    this.out[this.end++] = kind;
  }

  private copy(start: number, end: number): void {
    if (end - start > LONG_COPY) {
      this.out.set(this.bytes.subarray(start, end), this.end);
      this.end += end - start;
      return;
    }
    for (let at = start; at < end; at++) this.out[this.end++] = this.bytes[at]!;
  }

  /** A head in its shortest form. */
  private number(major: number, argument: number): void {
    const type = major << 5;
    if (argument < 24) {
      this.out[this.end++] = type | argument;
    } else if (argument < 0x100) {
      this.out[this.end++] = type | 24;
      this.out[this.end++] = argument;
    } else if (argument < 0x1_0000) {
      this.out[this.end++] = type | 25;
      this.outView.setUint16(this.end, argument);
      this.end += 2;
    } else {
      this.out[this.end++] = type | 26;
      this.outView.setUint32(this.end, argument);
      this.end += 4;
    }
  }
}
