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

/** What readClaimed has read, of all units of a claim one behind the other; or readClaimedRanges, of those in a range of leases. */
interface ClaimedBytes extends ClaimTerms {
  readonly heads: DataView;
  readonly names: Buffer;
  readonly payloads: Buffer;
  /** The first number of the range that all are in; undefined: what is to be known of the attempts is in the heads. */
  readonly range: number | undefined;
}

/** Bytes of a head of headOfUnit: the unit's id, the place of its row (page and row), the lengths of name and data. */
const unitHeadLength = 8 + 6 + 4 + 4;

/** And of headOfClaimed: also the attempt's number, how many the unit has had, the place of the row of lease (zeros: it is in a range). */
const headLength = unitHeadLength + 8 + 4 + 6;

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

  constructor(claim: ClaimedBytes, number: number, at: { readonly head: number; readonly name: number; readonly data: number | Buffer }) {
    this.number = number;
    this.unitId = int8At(claim.heads, at.head);
    this.#claim = claim;
    this.#headAt = at.head;
    this.#nameAt = at.name;
    this.#data = at.data;
  }

  get terms(): ClaimTerms {
    return this.#claim;
  }

  get attempts(): number {
    return this.#claim.range === undefined ? this.#claim.heads.getInt32(this.#headAt + unitHeadLength + 8) : 1;
  }

  get leasePlace(): number {
    return this.#claim.range === undefined ? tidAt(this.#claim.heads, this.#headAt + unitHeadLength + 12) : 0;
  }

  get range(): number | undefined {
    const { number } = this;
    if (this.#claim.range !== undefined) return this.#claim.range;
    return this.leasePlace === 0 ? number - ((number - this.#claim.firstNumber) % leaseRangeSize) : undefined;
  }

  get unitPlace(): number {
    return tidAt(this.#claim.heads, this.#headAt + 8);
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

/** What readClaimed or readClaimedRanges (whose rows say with `first_number` which range they are of) has read, of the attempts that `isOurs` admits; by number. */
export async function claimedUnitsFromRows(
  bucket: Bucket,
  specId: number,
  rows: readonly Row[],
  { isOurs, terms }: { readonly isOurs: (number: number) => boolean; readonly terms: ClaimTerms },
): Promise<ClaimedUnit[]> {
  const units: ClaimedUnit[] = [];
  for (const row of rows) {
    if (row.heads === null) continue;
    const range = row.first_number === undefined ? undefined : Number(row.first_number);
    const claim = { ...terms, range, heads: viewOf(bytes(row.heads)), names: bytes(row.names), payloads: row.datas === null ? none : bytes(row.datas) };
    const { heads } = claim;
    const length = range === undefined ? headLength : unitHeadLength;
    const numberAt = numbersOf(row, claim);
    let [nameAt, dataAt] = [0, 0];
    for (let at = 0; at < heads.byteLength; at += length) {
      const number = numberAt(at);
      const dataLength = dataLengthAt(heads, at);
      const isLarge = dataLength < 0;
      if (isOurs(number)) {
        const data = isLarge ? await readLarge(bucket, specId, int8At(heads, at), number) : dataAt;
        if (data !== undefined) units.push(new ClaimedUnit(claim, number, { head: at, name: nameAt, data }));
      }
      nameAt += nameLengthAt(heads, at);
      dataAt += isLarge ? 0 : dataLength;
    }
  }
  // Not where some have left a range, or have leases of their own.
  const areInOrder = units.every(({ number }, index) => index === 0 || number > (units[index - 1]?.number ?? 0));
  return areInOrder ? units : units.sort((a, b) => a.number - b.number);
}

/** The number of the attempt whose head begins at a place. */
function numbersOf({ unit_ids: ids }: Row, { heads, range }: ClaimedBytes): (at: number) => number {
  if (range === undefined) return (at) => int8At(heads, at + unitHeadLength);
  if (ids === null) return (at) => range + at / unitHeadLength;
  // Not all of the range were read: some have left it.
  const places = new Map((ids as readonly unknown[]).map((id, place) => [Number(id), place]));
  return (at) => range + (places.get(int8At(heads, at)) ?? Number.NaN);
}

/** Undefined: it is not held any more. */
async function readLarge(bucket: Bucket, specId: number, unitId: number, number: number): Promise<Buffer | undefined> {
  const [row] = await bucket.run(readClaimedData, [specId, unitId, number]);
  return row && bytes(row.data);
}

function nameLengthAt(heads: DataView, at: number): number {
  return heads.getInt32(at + 14);
}

/** -1: too large to have been read with the others. */
function dataLengthAt(heads: DataView, at: number): number {
  return heads.getInt32(at + 18);
}

/** Numbers are read through it: what a Buffer has for that is as much code again for each call, to be interpreted, or compiled into whoever calls it. */
function viewOf({ buffer, byteOffset, length }: Buffer): DataView {
  return new DataView(buffer, byteOffset, length);
}

/** Not a Buffer, which is made at several times the cost. */
function part({ buffer, byteOffset }: Buffer, from: number, length: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, length);
}

/** A bigint as a number: no id and no attempt's number reaches 2^53. */
function int8At(view: DataView, at: number): number {
  return view.getInt32(at) * 2 ** 32 + view.getUint32(at + 4);
}

/** A place as tidArray() takes it. */
function tidAt(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 16 + view.getUint16(at + 4);
}
