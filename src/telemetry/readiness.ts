import type { Coordinate } from '../core/coordinate.js';
import { PostgresCoordinate } from '../core/postgres-coordinate.js';
import { within } from '../database/index.js';
import { CoordinateError } from '../errors/index.js';
import { checkDuration, checkOptions } from '../options/index.js';

export interface ReadinessOptions {
  /** How long an answer is good for, in milliseconds: whoever asks all the time cannot hurt the database. @default 1000 */
  readonly cacheMs?: number;
  /** How long the database may take to answer, in milliseconds. @default 5000 */
  readonly timeoutMs?: number;
  /** Time that only goes forward, in milliseconds. @default performance.now */
  readonly now?: () => number;
}

/** Null: ready. Else why not: the code of an error of this package, such as `CannotConnect` or `SchemaTooOld`, `Timeout`, or `Unknown`. */
export type NotReady = string | null;

/** Says whether a process can do its work: whether its database answers, with the tables as this version expects them. */
export class Readiness {
  readonly #coordinate: Coordinate;
  readonly #options: Required<ReadinessOptions>;
  #asking: Promise<NotReady> | undefined;
  #answer: NotReady = null;
  #answeredAt = Number.NEGATIVE_INFINITY;

  /** Raises InvalidArgument. */
  constructor(coordinate: Coordinate, options?: ReadinessOptions) {
    const { cacheMs = 1_000, timeoutMs = 5_000, now = () => performance.now() } = checkOptions(options, 'options', ['cacheMs', 'timeoutMs', 'now']);
    this.#coordinate = coordinate;
    this.#options = {
      cacheMs: checkDuration(cacheMs, 'options.cacheMs'),
      timeoutMs: checkDuration(timeoutMs, 'options.timeoutMs'),
      now,
    };
  }

  /** Never rejects. Those who ask at the same time share one answer. */
  async check(): Promise<NotReady> {
    const { cacheMs, now } = this.#options;
    if (this.#asking === undefined && now() - this.#answeredAt < cacheMs) return this.#answer;
    this.#asking ??= this.#ask().finally(() => {
      this.#answeredAt = now();
      this.#asking = undefined;
    });
    this.#answer = await this.#asking;
    return this.#answer;
  }

  async #ask(): Promise<NotReady> {
    const coordinate = this.#coordinate;
    const asked = coordinate instanceof PostgresCoordinate ? coordinate.checkReady() : coordinate.namespaces();
    let isLate = false;
    const timer = setTimeout(() => (isLate = true), this.#options.timeoutMs);
    try {
      await within<unknown>(asked, this.#options.timeoutMs);
      return null;
    } catch (error) {
      // Messages may name hosts and users: whoever may ask this need not know them.
      if (error instanceof CoordinateError) return error.code;
      return isLate ? 'Timeout' : 'Unknown';
    } finally {
      clearTimeout(timer);
    }
  }
}
