import type { Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { bytes } from '../instant.js';
import type { AttemptPlace } from './attempt-place.js';
import { readClaimedData } from './claim.js';

/** A unit that has just been claimed. */
export interface ClaimedUnit {
  readonly unitId: number;
  readonly number: number;
  readonly name: Uint8Array;
  /** CBOR. */
  readonly data: Uint8Array;
  readonly place?: AttemptPlace;
}

/**
 * Bytes of each head: the attempt's number, the unit's id, how many attempts it has had, the places of the rows of lease and unit (page and
 * row), the lengths of name and data.
 */
const headLength = 8 + 8 + 4 + 6 + 6 + 4 + 4;

const none = Buffer.alloc(0);

/** What readClaimed has read, of the attempts that `isOurs` admits. */
export async function claimedUnitsFromRow(
  bucket: Bucket,
  specId: number,
  row: Row | undefined,
  { isOurs, freshUntil }: { readonly isOurs: (number: number) => boolean; readonly freshUntil: number },
): Promise<ClaimedUnit[]> {
  if (row === undefined || row.heads === null) return [];
  const heads = bytes(row.heads);
  const names = bytes(row.names);
  const datas = row.datas === null ? none : bytes(row.datas);
  const units: ClaimedUnit[] = [];
  let [nameAt, dataAt] = [0, 0];
  for (let at = 0; at < heads.length; at += headLength) {
    const number = int8At(heads, at);
    const unitId = int8At(heads, at + 8);
    const place = { attempts: heads.readInt32BE(at + 16), lease: tidAt(heads, at + 20), unit: tidAt(heads, at + 26), freshUntil };
    const name = part(names, nameAt, heads.readInt32BE(at + 32));
    nameAt += name.length;
    const length = heads.readInt32BE(at + 36);
    const from = dataAt;
    dataAt += Math.max(0, length);
    if (!isOurs(number)) continue;
    const data = length < 0 ? await readLarge(bucket, specId, unitId, number) : part(datas, from, length);
    if (data !== undefined) units.push({ unitId, number, name, data, place });
  }
  return units;
}

/** Undefined: it is not held any more. */
async function readLarge(bucket: Bucket, specId: number, unitId: number, number: number): Promise<Buffer | undefined> {
  const [row] = await bucket.run(readClaimedData, [specId, unitId, number]);
  return row && bytes(row.data);
}

/** Not a Buffer, which is made at several times the cost. */
function part({ buffer, byteOffset }: Buffer, from: number, length: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, length);
}

/** A bigint, which no id or number is too great for to be a number here. */
function int8At(buffer: Buffer, at: number): number {
  return buffer.readInt32BE(at) * 2 ** 32 + buffer.readUInt32BE(at + 4);
}

/** A place as tidArray() takes it. */
function tidAt(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 2 ** 16 + buffer.readUInt16BE(at + 4);
}
