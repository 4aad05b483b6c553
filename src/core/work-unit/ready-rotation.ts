import { statement, type Row } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { adoptReadyUnits } from './adopt-ready.js';

/** After how many claims the open generation of `ready` is to be closed: so many of its rows at most lie in front of what is next. */
const closeAfter = 4_000;

/** So many claims of units in ranges count as one: there is one row for up to 200 of them, and a claim that ends within a range leaves another. */
const inRangesAsOne = 16;

/** When a spec has run dry there is little left in it, and it is closed after fewer. */
const closeDryAfter = 500;

/** After how many claims a rotation under way is taken a step further. */
const stepAfter = 500;

/**
 * Takes the generations of ready units a step further. READ COMMITTED and through the claim gate: see rotate_ready. Parameters: after how
 * many claims to close the open generation; the sealed one as last seen, and the place of its first row; in which epoch that was, as a
 * crash of the server may bring rows back that were in front of it.
 */
const rotateReady = statement(
  'work-unit.rotate-ready',
  (s) => `
    select
      sealed_generation, sealed_spec, sealed_rank, sealed_name, (select epoch from ${s}.no_crash_since) as epoch, more,
      (select last_value from ${s}.ready_closed) > 0 as has_closed
    from ${s}.rotate_ready(
      $1::bigint, case when $6::uuid = (select epoch from ${s}.no_crash_since) then $2::bigint end, $3::bigint, $4::float8, $5::bytea
    )`,
);

const nowhere: readonly unknown[] = [null, null, null, null, null];

/** Moves the generations of a bucket's ready units on as they are claimed. Nobody waits for it, and when it fails nothing is lost but speed. */
export class ReadyRotation {
  readonly #bucket: Bucket;
  /** How many claims there were since the last step, as far as they count. Somewhere between two steps: of many processes that live for a few claims only, one in so many does the work. */
  #claims = Math.random() * closeAfter;
  /** The newest attempt number that was seen; undefined: none was. */
  #seen: number | undefined;
  #lastAt = 0;
  /** Whether a rotation has begun that is not through yet. */
  #isUnderWay = false;
  /** The first row of the sealed generation, as last seen: generation, spec id, rank, name, epoch. */
  #front: readonly unknown[] = nowhere;
  #running: Promise<void> | undefined;
  #hasAdopted = false;
  #isStopped = false;

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** Says how far attempt numbers are, and takes a step if that makes one due: sooner when a spec has run dry, later while units are claimed from ranges. */
  claimed(newestNumber: number, { isDry = false, wereInRanges = false } = {}): void {
    const more = Math.max(0, newestNumber - (this.#seen ?? newestNumber));
    this.#seen = newestNumber;
    this.#claims += wereInRanges && !this.#isUnderWay ? more / inRangesAsOne : more;
    const adopts = isDry && !this.#hasAdopted;
    const isDue = adopts || this.#claims >= (this.#isUnderWay ? stepAfter : closeAfter) || (isDry && newestNumber >= this.#lastAt + closeDryAfter);
    if (!isDue || this.#running !== undefined || this.#isStopped) return;
    if (adopts) {
      // Where there seems to be no work: once in the life of a process.
      this.#hasAdopted = true;
      this.#running = this.#whatever(() => adoptReadyUnits(this.#bucket));
      return;
    }
    this.#lastAt = newestNumber;
    this.#claims = 0;
    this.#running = this.#whatever(() => this.#step(isDry ? closeDryAfter : closeAfter, wereInRanges));
  }

  /** Waits for the step under way; there will be no other. Idempotent. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  async #step(after: number, wereInRanges: boolean): Promise<void> {
    const [row] = await this.#bucket.runBehindGate(rotateReady, [after, ...this.#front]);
    this.#front = frontFromRow(row);
    // Where each unit has a row the next one may be closed as soon as this one is through.
    this.#isUnderWay = row?.more === true && (row.has_closed === true || !wereInRanges);
  }

  async #whatever(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { logger } = this.#bucket.backend.database;
      logger.warn(`the ready units could not be rotated: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      this.#running = undefined;
    }
  }
}

function frontFromRow(row: Row | undefined): readonly unknown[] {
  if (row === undefined || row.sealed_spec === null) return nowhere;
  return [row.sealed_generation, row.sealed_spec, row.sealed_rank, row.sealed_name, row.epoch];
}
