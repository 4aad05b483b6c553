import { sqlState } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { SharedTrips } from '../shared-trips.js';
import { sharedLockTimeout } from '../shared-lock-timeout.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import type { EndStatus } from './attempt-status.js';
import { endActive } from './batch-reports.js';
import type { Report } from './report.js';

/** How many reports go together at most. */
const mostTogether = 500;

/** Ends attempts that many callers report on one by one, those of a namespace together. */
export class EndQueue {
  readonly #trips: Readonly<Record<EndStatus, SharedTrips<Report, boolean>>>;
  /** By number. */
  readonly #underWay = new Map<number, Promise<boolean>>();

  constructor(bucket: Bucket) {
    const { database } = bucket.backend;
    const tripsOf = (status: EndStatus): SharedTrips<Report, boolean> =>
      new SharedTrips({
        database,
        most: mostTogether,
        bytesOf: ({ data }) => data?.length ?? 0,
        send: (reports) => endTogether(bucket, status, reports),
      });
    this.#trips = { finished: tripsOf('finished'), failed: tripsOf('failed') };
  }

  /**
   * Ends an attempt if it is active and has no output to pass on; resolves, after the commit, to whether that was so. A second report on the same attempt
   * waits for the first, and is for settle() to judge. Raises Closed.
   */
  async end(status: EndStatus, report: Report): Promise<boolean> {
    const { number } = report;
    const before = this.#underWay.get(number);
    if (before !== undefined) {
      await before.catch(() => undefined);
      return false;
    }
    const ending = this.#trips[status].ask(String(namespaceOfSpec(report.specId)), report);
    this.#underWay.set(number, ending);
    try {
      return await ending;
    } finally {
      this.#underWay.delete(number);
    }
  }
}

async function endTogether(bucket: Bucket, status: EndStatus, reports: readonly Report[]): Promise<(boolean | Promise<boolean>)[]> {
  const { database } = bucket.backend;
  const isAlone = reports.length === 1;
  try {
    const ended = await endActive(bucket, status, reports, database, isAlone ? {} : { lockTimeout: sharedLockTimeout });
    return reports.map(({ number }) => ended.has(number));
  } catch (error) {
    // 55P03: a lock was not to be had in time. Each for itself only waits for its own.
    if (isAlone || sqlState(error) !== '55P03') throw error;
    const endAlone = async (report: Report): Promise<boolean> => (await endTogether(bucket, status, [report]))[0] ?? false;
    return reports.map((report) => database.continuing(() => endAlone(report)));
  }
}
