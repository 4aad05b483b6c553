import { decodeData, type DataDictionary } from '../../codec/index.js';
import type { Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { bytes } from '../instant.js';
import { leaseRangeSize, type AttemptPlace } from './attempt-place.js';
import { readClaimedData } from './claim.js';
import { isAscending } from './report.js';

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
  /** The first number of the range that all are in; 0: what is to be known of the attempts is in the heads. Always a number, or V8 deoptimizes code when it becomes one. */
  readonly range: number;
}

/** Bytes of a head of headOfUnit: the unit's id, the lengths of name and data. */
const unitHeadLength = 8 + 4 + 4;

/** And of headOfClaimed: also the attempt's number, how many the unit has had, the places (page and row) of the rows of lease (zeros: it is in a range) and of the unit. */
const headLength = unitHeadLength + 8 + 4 + 6 + 6;

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
  /** 0: it has a lease of its own. Found once for all, so that who asks runs the same code for every kind of claim, or V8 would deoptimize it. */
  readonly #range: number;

  constructor(claim: ClaimedBytes, number: number, headAt: number, nameAt: number, data: number | Buffer) {
    this.number = number;
    this.unitId = int8At(claim.heads, headAt);
    this.#claim = claim;
    this.#headAt = headAt;
    this.#nameAt = nameAt;
    this.#data = data;
    this.#range = rangeOf(claim, number, headAt);
  }

  get terms(): ClaimTerms {
    return this.#claim;
  }

  get attempts(): number {
    return this.#claim.range === 0 ? this.#claim.heads.getInt32(this.#headAt + unitHeadLength + 8) : 1;
  }

  get leasePlace(): number {
    return this.#range === 0 ? leasePlaceAt(this.#claim.heads, this.#headAt) : 0;
  }

  get range(): number | undefined {
    return this.#range === 0 ? undefined : this.#range;
  }

  get unitPlace(): number {
    return this.#claim.range === 0 ? tidAt(this.#claim.heads, this.#headAt + unitHeadLength + 18) : 0;
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
    const claim: ClaimedBytes = {
      ...terms,
      range: row.first_number === undefined ? 0 : Number(row.first_number),
      heads: viewOf(bytes(row.heads)),
      names: bytes(row.names),
      payloads: row.datas === null ? none : bytes(row.datas),
    };
    for (const { number, headAt, nameAt } of addUnits(units, claim, { placeOf: placesOf(row, claim), isOurs })) {
      const data = await readLarge(bucket, specId, int8At(claim.heads, headAt), number);
      if (data !== undefined) units.push(new ClaimedUnit(claim, number, headAt, nameAt, data));
    }
  }
  // Not in order where some have left a range, have leases of their own, or have large data, which are read last.
  return isAscending(units, ({ number }) => number) ? units : units.sort((a, b) => a.number - b.number);
}

/** One whose data are too large to have been read with the others. */
interface LargeUnit {
  readonly number: number;
  /** Where its head and its name begin. */
  readonly headAt: number;
  readonly nameAt: number;
}

/** Adds the units of a claim that are ours; returns those with large data, which it leaves out. */
function addUnits(
  units: ClaimedUnit[],
  claim: ClaimedBytes,
  { placeOf, isOurs }: { readonly placeOf: ReadonlyMap<number, number> | undefined; readonly isOurs: (number: number) => boolean },
): LargeUnit[] {
  const { heads } = claim;
  const length = claim.range === 0 ? headLength : unitHeadLength;
  const large: LargeUnit[] = [];
  let [nameAt, dataAt] = [0, 0];
  for (let headAt = 0; headAt < heads.byteLength; headAt += length) {
    const number = numberAt(claim, placeOf, headAt);
    const dataLength = dataLengthAt(heads, headAt);
    if (isOurs(number)) {
      if (dataLength < 0) large.push({ number, headAt, nameAt });
      else units.push(new ClaimedUnit(claim, number, headAt, nameAt, dataAt));
    }
    nameAt += nameLengthAt(heads, headAt);
    dataAt += Math.max(0, dataLength);
  }
  return large;
}

/** The places that units have in their range, by id, if not all of it were read: some have left it. */
function placesOf({ unit_ids: ids }: Row, { range }: ClaimedBytes): ReadonlyMap<number, number> | undefined {
  if (range === 0 || ids === null) return undefined;
  return new Map((ids as readonly unknown[]).map((id, place) => [Number(id), place]));
}

/** The number of the attempt whose head begins at a place. */
function numberAt({ heads, range }: ClaimedBytes, placeOf: ReadonlyMap<number, number> | undefined, headAt: number): number {
  if (range === 0) return int8At(heads, headAt + unitHeadLength);
  if (placeOf === undefined) return range + headAt / unitHeadLength;
  return range + (placeOf.get(int8At(heads, headAt)) ?? Number.NaN);
}

/** The first number of the range of leases that an attempt is in; 0: it has a lease of its own. */
function rangeOf({ heads, range, firstNumber }: ClaimedBytes, number: number, headAt: number): number {
  if (range !== 0) return range;
  return leasePlaceAt(heads, headAt) === 0 ? number - ((number - firstNumber) % leaseRangeSize) : 0;
}

/** Undefined: it is not held any more. */
async function readLarge(bucket: Bucket, specId: number, unitId: number, number: number): Promise<Buffer | undefined> {
  const [row] = await bucket.run(readClaimedData, [specId, unitId, number]);
  return row && bytes(row.data);
}

function nameLengthAt(heads: DataView, at: number): number {
  return heads.getInt32(at + 8);
}

/** Of heads of headOfClaimed. 0: it is in a range. */
function leasePlaceAt(heads: DataView, at: number): number {
  return tidAt(heads, at + unitHeadLength + 12);
}

/** -1: too large to have been read with the others. */
function dataLengthAt(heads: DataView, at: number): number {
  return heads.getInt32(at + 12);
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
