import { boolArray, int4Array, int8Array, tidArray, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { isFresh, type AttemptPlace } from './attempt-place.js';
import { endPlaced, endPlacedInRanges } from './end-placed.js';
import { inOrder, mayHaveOutput, specsOf, type EndSettings, type Report } from './report.js';

/** How many attempts a range of history has at least, on an average of a statement's. Shorter ones are no less work than rows of their own. */
const leastOfRange = 16;

/** How many a range has at most, so that its row fits into a page. */
const mostOfRange = 500;

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

/** Ends attempts by their places, in ranges if their numbers come in such. Fails with PC003 or 55P03 if somebody comes in between; then nothing was done. */
export async function endByPlaces(bucket: Bucket, reports: readonly PlacedReport[], settings: EndSettings): Promise<readonly Row[]> {
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
    int4Array(reports.map(({ place }) => place.attempts)),
    tidArray(reports.map(({ place }) => place.unitPlace)),
    tidArray(reports.map(({ place }) => place.leasePlace)),
  ];
  const ranges = rangesOf(reports);
  if (ranges !== undefined) {
    const rows = await bucket.run(endPlacedInRanges, [...common(mayHave.includes(true)), int8Array(ranges)]);
    if (rows[0]?.are_all === true) return rows;
  }
  return bucket.run(endPlaced, [...common(boolArray(mayHave)), int4Array(specs), ...concatenatedData(reports)]);
}

/** The first numbers of ranges of attempts that were claimed together, ascending; undefined: there are data, or the ranges are too short. */
function rangesOf(reports: readonly PlacedReport[]): readonly number[] | undefined {
  if (reports.length < leastOfRange || reports.some(({ data }) => data !== null)) return undefined;
  const firsts: number[] = [];
  let length = 0;
  let last: PlacedReport | undefined;
  for (const report of inOrder(reports, ({ number }) => number)) {
    const goesOn = report.number - 1 === last?.number && report.place.claim === last.place.claim && length < mostOfRange;
    length = goesOn ? length + 1 : 1;
    if (!goesOn) firsts.push(report.number);
    last = report;
  }
  return firsts.length * leastOfRange <= reports.length ? firsts : undefined;
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
