import { InvalidArgumentError } from '../errors/index.js';

/** Tag 24: a byte string that holds CBOR. */
const embeddedTag = Buffer.from([0xd8, 0x18]);
const byteStringMajor = 2;

/** A record of more than this is none that we have written. */
const mostBytes = 1_000_000_000;

/** The bytes of a record, as one item of a CBOR sequence. */
export function frame(record: Uint8Array): Buffer {
  return Buffer.concat([embeddedTag, byteStringHead(record.length), record]);
}

/** The records in a stream of bytes cut anywhere. Raises InvalidArgument when it is no sequence of records, or ends within one. */
export async function* unframe(source: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  const buffer = new ByteQueue();
  for await (const chunk of source) {
    buffer.push(chunk);
    for (let record = takeRecord(buffer); record !== null; record = takeRecord(buffer)) yield record;
  }
  if (buffer.length > 0) throw new InvalidArgumentError('archive', 'ends in the middle of a record: it is cut off');
}

/** The next record; null while it is not all there. */
function takeRecord(buffer: ByteQueue): Buffer | null {
  const longestHead = embeddedTag.length + 9;
  const start = buffer.peek(longestHead);
  const tag = start.subarray(0, embeddedTag.length);
  if (!tag.equals(embeddedTag.subarray(0, tag.length))) throw notAnArchive();
  if (start.length <= embeddedTag.length) return null;
  const initial = start[embeddedTag.length] ?? 0;
  const info = initial & 31;
  if (initial >> 5 !== byteStringMajor || info > 27) throw notAnArchive();
  const lengthBytes = info < 24 ? 0 : 2 ** (info - 24);
  const headBytes = embeddedTag.length + 1 + lengthBytes;
  if (start.length < headBytes) return null;
  const length = lengthBytes === 0 ? info : Number(BigInt(`0x${start.subarray(headBytes - lengthBytes, headBytes).toString('hex')}`));
  if (length > mostBytes) throw notAnArchive();
  if (buffer.length < headBytes + length) return null;
  buffer.take(headBytes);
  return buffer.take(length);
}

/** The shortest head of a byte string. */
function byteStringHead(length: number): Buffer {
  const major = byteStringMajor << 5;
  if (length < 24) return Buffer.from([major | length]);
  if (length < 0x100) return Buffer.from([major | 24, length]);
  const head = Buffer.alloc(length < 0x1_0000 ? 3 : 5);
  head[0] = major | (length < 0x1_0000 ? 25 : 26);
  head.writeUIntBE(length, 1, head.length - 1);
  return head;
}

function notAnArchive(): InvalidArgumentError {
  return new InvalidArgumentError('archive', 'is no export of pg-coordinate, or is damaged');
}

/** Bytes that come in chunks and go in pieces, without copying all of them for each piece. */
class ByteQueue {
  readonly #chunks: Buffer[] = [];
  #offset = 0;
  length = 0;

  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#chunks.push(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
    this.length += chunk.length;
  }

  /** The first bytes, fewer if there are no more. */
  peek(length: number): Buffer {
    const [first] = this.#chunks;
    if (first === undefined) return Buffer.alloc(0);
    if (first.length - this.#offset >= length) return first.subarray(this.#offset, this.#offset + length);
    // A head across chunks is rare and short.
    const parts: Buffer[] = [first.subarray(this.#offset)];
    let found = first.length - this.#offset;
    for (let index = 1; found < length && index < this.#chunks.length; index++) {
      const chunk = this.#chunks[index] ?? first;
      parts.push(chunk);
      found += chunk.length;
    }
    return Buffer.concat(parts).subarray(0, length);
  }

  take(length: number): Buffer {
    const parts: Buffer[] = [];
    this.length -= length;
    for (let left = length; left > 0; ) {
      const [first] = this.#chunks;
      if (first === undefined) break;
      const part = first.subarray(this.#offset, this.#offset + left);
      parts.push(part);
      left -= part.length;
      this.#offset += part.length;
      if (this.#offset < first.length) continue;
      this.#chunks.shift();
      this.#offset = 0;
    }
    return parts.length === 1 && parts[0] !== undefined ? parts[0] : Buffer.concat(parts);
  }
}
