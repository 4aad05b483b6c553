import { silentLogger, type Logger } from '../database/index.js';
import { InvalidArgumentError } from '../errors/index.js';
import { checkBoolean, checkDuration, checkInteger, checkOptions, kindOf } from '../options/index.js';

/** What is measured, and how much. */
export interface MetricsOptions {
  /** How long what was read from the database is told again without asking it, in milliseconds: scraping cannot hurt it. @default 5000 */
  readonly cacheMs?: number;
  /** How long to wait for the database, in milliseconds, before the rest is told without it. @default 5000 */
  readonly timeoutMs?: number;
  /** How many work specs get series of their own; the others share one, with empty labels. @default 200 */
  readonly mostWorkSpecs?: number;
  /** Whether to measure the process, too: memory, CPU, event loop. @default false */
  readonly processMetrics?: boolean;
  /** Told when the database could not be read. @default tells nobody */
  readonly logger?: Logger;
  /** Time that only goes forward, in milliseconds; of no meaning but differences. @default performance.now */
  readonly now?: () => number;
  /** Numbers in [0, 1), for samples. @default Math.random */
  readonly random?: () => number;
}

const defaults = Object.freeze({
  cacheMs: 5_000,
  timeoutMs: 5_000,
  mostWorkSpecs: 200,
  processMetrics: false,
  logger: silentLogger,
  now: () => performance.now(),
  random: Math.random,
});

/** Raises InvalidArgument. */
export function checkMetricsOptions(options: MetricsOptions | undefined): Required<MetricsOptions> {
  const given = { ...defaults, ...checkOptions(options, 'options', Object.keys(defaults) as (keyof typeof defaults)[]) };
  checkDuration(given.cacheMs, 'options.cacheMs');
  checkDuration(given.timeoutMs, 'options.timeoutMs');
  checkInteger(given.mostWorkSpecs, 'options.mostWorkSpecs', { least: 0, most: 10_000 });
  checkBoolean(given.processMetrics, 'options.processMetrics');
  for (const field of ['now', 'random'] as const) {
    if (typeof given[field] !== 'function') throw new InvalidArgumentError(`options.${field}`, `must be a function, not ${kindOf(given[field])}`);
  }
  return given;
}
