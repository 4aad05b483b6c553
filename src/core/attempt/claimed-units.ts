import { decodeData, type DataDictionary } from '../../codec/index.js';
import type { Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { bytes } from '../instant.js';
import { leaseRangeSize, type AttemptPlace } from './attempt-place.js';
import { readClaimedData } from './claim.js';

/** What is the same for all units that were claimed together. */
export interface ClaimTerms {
  readonly startTime: Date;
  readonly expirationTime: Date;
  /** As of AttemptPlace. */
  readonly freshUntil: number;
  /** The number of the first attempt. */
  readonly firstNumber: number;
}

/** What readClaimed has read, of all units of a claim one behind the other. */
interface ClaimedBytes extends ClaimTerms {
  readonly heads: Buffer;
  readonly names: Buffer;
  readonly payloads: Buffer;
}

/**
 * Bytes of each head: the attempt's number, the unit's id, how many attempts it has had, the places of the rows of lease (zeros: it is in a range) and
 * unit (page and row), the lengths of name and data.
 */
const headLength = 8 + 8 + 4 + 6 + 6 + 4 + 4;

const none = Buffer.alloc(0);

/**
 * A unit that has just been claimed, and its attempt. Of the bytes that were read for all of them each knows where its own begin, and makes something of them
 * when somebody asks: most of what many claimed units cost is what lies about until their turn comes. So data that cannot be
 * decoded are the trouble of whoever works on that unit, not of all that were claimed with it.
 */
export class ClaimedUnit implements AttemptPlace {
  readonly number: number;
  readonly unitId: number;
  readonly #claim: ClaimedBytes;
  readonly #headAt: number;
  readonly #nameAt: number;
  /** Where its data begin, or these if they are too large to have been read with the others. */
  readonly #data: number | Buffer;

  constructor(claim: ClaimedBytes, at: { readonly head: number; readonly name: number; readonly data: number | Buffer }) {
    this.number = int8At(claim.heads, at.head);
    this.unitId = int8At(claim.heads, at.head + 8);
    this.#claim = claim;
    this.#headAt = at.head;
    this.#nameAt = at.name;
    this.#data = at.data;
  }

  get terms(): ClaimTerms {
    return this.#claim;
  }

  get attempts(): number {
    return this.#claim.heads.readInt32BE(this.#headAt + 16);
  }

  get leasePlace(): number {
    return tidAt(this.#claim.heads, this.#headAt + 20);
  }

  get range(): number | undefined {
    const { number } = this;
    return this.leasePlace === 0 ? number - ((number - this.#claim.firstNumber) % leaseRangeSize) : undefined;
  }

  get unitPlace(): number {
    return tidAt(this.#claim.heads, this.#headAt + 26);
  }

  get freshUntil(): number {
    return this.#claim.freshUntil;
  }

  /** The unit's name. */
  get key(): Uint8Array {
    const { names } = this.#claim;
    return part(names, this.#nameAt, nameLengthAt(this.#claim.heads, this.#headAt));
  }

  /** Made anew each time. Raises BadCborError. */
  get data(): DataDictionary {
    if (typeof this.#data !== 'number') return decodeData(this.#data);
    return decodeData(part(this.#claim.payloads, this.#data, dataLengthAt(this.#claim.heads, this.#headAt)));
  }
}

/** What readClaimed has read, of the attempts that `isOurs` admits. */
export async function claimedUnitsFromRow(
  bucket: Bucket,
  specId: number,
  row: Row | undefined,
  { isOurs, terms }: { readonly isOurs: (number: number) => boolean; readonly terms: ClaimTerms },
): Promise<ClaimedUnit[]> {
  if (row === undefined || row.heads === null) return [];
  const heads = bytes(row.heads);
  const claim = { ...terms, heads, names: bytes(row.names), payloads: row.datas === null ? none : bytes(row.datas) };
  const units: ClaimedUnit[] = [];
  let [nameAt, dataAt] = [0, 0];
  for (let at = 0; at < heads.length; at += headLength) {
    const length = dataLengthAt(heads, at);
    const isLarge = length < 0;
    if (isOurs(int8At(heads, at))) {
      const data = isLarge ? await readLarge(bucket, specId, heads, at) : dataAt;
      if (data !== undefined) units.push(new ClaimedUnit(claim, { head: at, name: nameAt, data }));
    }
    nameAt += nameLengthAt(heads, at);
    dataAt += isLarge ? 0 : length;
  }
  return units;
}

/** Undefined: it is not held any more. */
async function readLarge(bucket: Bucket, specId: number, heads: Buffer, at: number): Promise<Buffer | undefined> {
  const [row] = await bucket.run(readClaimedData, [specId, int8At(heads, at + 8), int8At(heads, at)]);
  return row && bytes(row.data);
}

function nameLengthAt(heads: Buffer, at: number): number {
  return heads.readInt32BE(at + 32);
}

/** -1: too large to have been read with the others. */
function dataLengthAt(heads: Buffer, at: number): number {
  return heads.readInt32BE(at + 36);
}

/** Not a Buffer, which is made at several times the cost. */
function part({ buffer, byteOffset }: Buffer, from: number, length: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, length);
}

/** A bigint as a number: no id and no attempt's number reaches 2^53. */
function int8At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}

/** A place as tidArray() takes it. */
function tidAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 2 ** 16 + buffer.readUInt16BE(at + 4);
}
