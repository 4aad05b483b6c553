import type { Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { bytes } from '../instant.js';
import { readClaimedData } from './claim.js';

/** A unit that has just been claimed. */
export interface ClaimedUnit {
  readonly unitId: number;
  readonly number: number;
  readonly name: Buffer;
  /** CBOR. */
  readonly data: Buffer;
}

const none = Buffer.alloc(0);

/** What readClaimed has read, of the attempts that `isOurs` admits. */
export async function claimedUnitsFromRow(
  bucket: Bucket,
  specId: number,
  row: Row | undefined,
  isOurs: (number: number) => boolean,
): Promise<ClaimedUnit[]> {
  if (row === undefined || row.numbers === null) return [];
  const [numbers, unitIds] = [numbersOf(row.numbers), numbersOf(row.unit_ids)];
  const names = slices(bytes(row.names), numbersOf(row.name_lengths));
  const datas = slices(row.datas === null ? none : bytes(row.datas), numbersOf(row.data_lengths));
  const units: ClaimedUnit[] = [];
  for (let index = 0; index < numbers.length; index++) {
    const [number, unitId] = [numbers[index] ?? 0, unitIds[index] ?? 0];
    if (!isOurs(number)) continue;
    const data = datas[index] ?? (await readLarge(bucket, specId, unitId, number));
    if (data !== undefined) units.push({ unitId, number, name: names[index] ?? none, data });
  }
  return units;
}

/** Undefined: it is not held any more. */
async function readLarge(bucket: Bucket, specId: number, unitId: number, number: number): Promise<Buffer | undefined> {
  const [row] = await bucket.run(readClaimedData, [specId, unitId, number]);
  return row && bytes(row.data);
}

/** A list as string_agg writes it. */
function numbersOf(value: unknown): number[] {
  return String(value).split(',').map(Number);
}

/** The parts of what was put together; undefined for those of length -1, which were left out. */
function slices(all: Buffer, lengths: readonly number[]): (Buffer | undefined)[] {
  let at = 0;
  return lengths.map((length) => {
    if (length < 0) return undefined;
    at += length;
    return all.subarray(at - length, at);
  });
}
