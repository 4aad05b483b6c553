import { decodeValue, HeadReader, INDEFINITE, Major, type Tagged } from '../../codec/index.js';
import { BadCborError } from '../../errors/index.js';
import type { ByteBudget } from '../../access/byte-budget.js';
import { ItemScanner } from './item-scanner.js';

/** The tag of a byte string that holds CBOR. */
export const embeddedCbor = 24;

/** A message is a tag around a byte string, which may come in chunks. */
const outerLimits = { items: 10_000, depth: 2 };

/** The first room for a message that comes in pieces, in bytes. It doubles as it fills up, whatever length is claimed. */
const firstRoom = 1_024;

/**
 * Takes the messages out of the bytes of one connection, however these are cut: a message is tag 24 around a byte string. Messages that come
 * whole are not copied; of one that does not, a single copy is kept, paid for from the budget.
 */
export class MessageReader {
  readonly #scanner: ItemScanner;
  readonly #budget: ByteBudget;
  #room = Buffer.alloc(0);
  #held = 0;

  /** `maxBytes` may change from one message to the next. */
  constructor(maxBytes: () => number, budget: ByteBudget) {
    this.#scanner = new ItemScanner({
      ...outerLimits,
      get bytes() {
        return maxBytes();
      },
    });
    this.#budget = budget;
  }

  /** Whether a message has begun and not ended. */
  get isPartial(): boolean {
    return this.#held > 0;
  }

  /**
   * The contents of the messages that end within these bytes, one at a time. They are part of these bytes, or of what is kept: they are to
   * be used before the next one is asked for.
   * @throws BadCborError at what is no message, or too long, or when the budget is spent.
   */
  *read(bytes: Buffer): Generator<Uint8Array, void, undefined> {
    let from = 0;
    while (from < bytes.length) {
      this.#checkTag(bytes, from);
      const end = this.#scanner.scan(bytes, from);
      if (end < 0) {
        this.#keep(bytes.subarray(from));
        return;
      }
      const rest = bytes.subarray(from, end);
      from = end;
      if (!this.isPartial) {
        yield contentOf(rest);
        continue;
      }
      this.#keep(rest);
      try {
        yield contentOf(this.#room.subarray(0, this.#held));
      } finally {
        this.release();
      }
    }
  }

  /** Gives back what is kept of a message that has not ended. */
  release(): void {
    this.#budget.give(this.#room.length);
    this.#room = Buffer.alloc(0);
    this.#held = 0;
  }

  /** Another protocol's bytes are not waited for: the first byte of a message is that of a tag. */
  #checkTag(bytes: Buffer, from: number): void {
    if (!this.isPartial && (bytes[from] ?? 0) >> 5 !== 6) throw notAMessage();
  }

  #keep(bytes: Buffer): void {
    const needed = this.#held + bytes.length;
    if (needed > this.#room.length) {
      const size = Math.max(firstRoom, needed, 2 * this.#room.length);
      if (!this.#budget.take(size - this.#room.length)) {
        throw new BadCborError('the server holds too many bytes of unfinished messages; send again later');
      }
      const room = Buffer.allocUnsafeSlow(size);
      room.set(this.#room.subarray(0, this.#held));
      this.#room = room;
    }
    this.#room.set(bytes, this.#held);
    this.#held = needed;
  }
}

function contentOf(item: Buffer): Uint8Array {
  const head = new HeadReader(new DataView(item.buffer, item.byteOffset, item.byteLength));
  head.next();
  if (head.argument !== embeddedCbor) throw notAMessage();
  head.next();
  if (head.major !== Major.bytes) throw notAMessage();
  if (head.info !== INDEFINITE) return item.subarray(head.at);
  const { value } = decodeValue(item) as Tagged;
  return value as Uint8Array;
}

function notAMessage(): BadCborError {
  return new BadCborError('a message is tag 24 around a byte string, and this is none');
}
