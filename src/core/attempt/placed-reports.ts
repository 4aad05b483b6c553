import { boolArray, int4Array, int8Array, tidArray, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { isFresh, type AttemptPlace } from './attempt-place.js';
import { endInRanges, endInRangesOneByOne } from './end-in-ranges.js';
import { endPlaced } from './end-placed.js';
import { inOrder, mayHaveOutput, specsOf, type EndSettings, type Report } from './report.js';

/** How many attempts a range of history has at least, on an average of a statement's. Shorter ones are no less work than rows of their own. */
const leastOfRange = 16;

/** A report on an attempt whose place is known and still fresh. */
export interface PlacedReport extends Report {
  readonly place: AttemptPlace;
}

/** Whether all are of different units, and of all it is known where they lie. They are sorted by unit. */
export function arePlaced(reports: readonly Report[]): reports is readonly PlacedReport[] {
  const now = performance.now();
  let last = 0;
  for (const { place, unitId } of reports) {
    if (place === undefined || !isFresh(place, now) || unitId === last) return false;
    last = unitId;
  }
  return true;
}

/**
 * Ends attempts by their places, or those in ranges by these and their units' ids; undefined: this is for other statements, and nothing was done. Fails with PC003 or 55P03 if somebody comes in between;
 * then nothing was done either.
 */
export async function endByPlaces(
  bucket: Bucket,
  reports: readonly PlacedReport[],
  settings: EndSettings,
): Promise<readonly Row[] | undefined> {
  const [specIds, specs] = specsOf(reports);
  const mayHave = reports.map((report) => mayHaveOutput(settings.status, report));
  const common = (hasOutput: boolean | Buffer): readonly unknown[] => [
    settings.status,
    int8Array(reports.map(({ unitId }) => unitId)),
    int8Array(reports.map(({ number }) => number)),
    bucket.backend.now(),
    hasOutput,
    settings.namespaceId,
    int8Array(specIds),
    settings.lockTimeout ?? null,
    reports.every(({ place }) => place.attempts === 1) ? null : int4Array(reports.map(({ place }) => place.attempts)),
  ];
  if (reports[0]?.place.range === undefined) {
    const places = [tidArray(reports.map(({ place }) => place.unitPlace)), tidArray(reports.map(({ place }) => place.leasePlace))];
    return bucket.run(endPlaced, [...common(boolArray(mayHave)), ...places, int4Array(specs), ...concatenatedData(reports)]);
  }
  const parameters = common(mayHave.includes(true));
  const parts = partsOf(reports);
  const rows = await (parts === undefined
    ? bucket.run(endInRangesOneByOne, [...parameters, int8Array(reports.map(({ place }) => place.range ?? 0)), ...concatenatedData(reports)])
    : bucket.run(endInRanges, [...parameters, ...parts.map(int8Array)]));
  return rows[0]?.are_all === true ? rows : undefined;
}

/**
 * The parts of ranges that the attempts are: the first number of each range, the first and the last of each part; undefined: there are data, or the
 * parts are too short.
 */
function partsOf(reports: readonly PlacedReport[]): [ranges: number[], from: number[], to: number[]] | undefined {
  if (reports.length < leastOfRange || reports.some(({ data }) => data !== null)) return undefined;
  const ranges: number[] = [];
  const from: number[] = [];
  const to: number[] = [];
  let [lastNumber, lastRange] = [-1, 0];
  for (const { number, place } of inOrder(reports, (report) => report.number)) {
    const range = place.range ?? 0;
    if (range === lastRange && number - 1 === lastNumber) {
      to[to.length - 1] = number;
    } else {
      ranges.push(range);
      from.push(number);
      to.push(number);
    }
    [lastNumber, lastRange] = [number, range];
  }
  return from.length * leastOfRange <= reports.length ? [ranges, from, to] : undefined;
}

/** Nulls if there are none. */
function concatenatedData(reports: readonly Report[]): [data: Buffer | null, starts: Buffer | null, lengths: Buffer | null] {
  if (reports.every(({ data }) => data === null)) return [null, null, null];
  let next = 1;
  const starts = reports.map(({ data }) => {
    const start = next;
    next += data?.length ?? 0;
    return start;
  });
  const concatenated = Buffer.concat(reports.flatMap(({ data }) => data ?? []));
  return [concatenated, int4Array(starts), int4Array(reports.map(({ data }) => data?.length ?? -1))];
}
