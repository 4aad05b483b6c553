import { CborFloat, type DataDictionary } from '../../codec/index.js';
import { BadWorkSpecNameError, NoWorkSpecNameError } from '../../errors/index.js';
import { maxDurationMs } from '../../options/index.js';
import type { WorkSpecMeta } from './work-spec-meta.js';

/** What a redefinition keeps of the definition before it. */
export interface EarlierMeta {
  readonly now: Date;
  /** The nextContinuous of the spec as it was; one in the future stays. */
  readonly previousNextContinuous: Date | null;
}

/** A spec without a word about its weight, or its niceness, has this one. */
const DEFAULT_WEIGHT = 20;

/** The name that a definition gives its work spec. Raises NoWorkSpecName, BadWorkSpecName. */
export function workSpecName(data: DataDictionary): string {
  const name = member(data, 'name');
  if (name === undefined) throw new NoWorkSpecNameError();
  if (typeof name !== 'string' || name === '') throw new BadWorkSpecNameError();
  return name;
}

/**
 * The meta record that a definition stands for. Pure. A known key of the wrong type counts as absent: definitions come from
 * many hands, and a slip in one of them must not stop all the work of its spec.
 */
export function metaFromData(data: DataDictionary, earlier?: EarlierMeta): WorkSpecMeta {
  const continuous = flag(data, 'continuous');
  return {
    priority: integer(data, 'priority') ?? 0,
    weight: Math.max(1, integer(data, 'weight') ?? DEFAULT_WEIGHT - (integer(data, 'nice') ?? 0)),
    paused: flag(data, 'disabled'),
    continuous,
    canBeContinuous: continuous,
    intervalMs: interval(data),
    nextContinuous: keptNextContinuous(earlier),
    maxRunning: limit(data, 'max_running'),
    maxAttemptsReturned: limit(data, 'max_getwork'),
    maxRetries: limit(data, 'max_retries'),
    minMemoryGb: number(data, 'min_gb') ?? 0,
    nextWorkSpecName: text(data, 'then'),
    runtime: text(data, 'runtime'),
    availableCount: 0,
    pendingCount: 0,
  };
}

/** Otherwise redefining a spec every minute would start its hourly unit every minute. */
function keptNextContinuous(earlier: EarlierMeta | undefined): Date | null {
  const previous = earlier?.previousNextContinuous ?? null;
  return earlier !== undefined && previous !== null && previous > earlier.now ? new Date(previous) : null;
}

/** A member of its own: a definition must not be given a value by what all objects inherit. */
function member(data: DataDictionary, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

/** Not a number at all (NaN) and not a finite one count as absent: no column of the meta record could hold them. */
function number(data: DataDictionary, key: string): number | undefined {
  const value = member(data, key);
  const converted = typeof value === 'bigint' || value instanceof CborFloat ? Number(value) : value;
  return typeof converted === 'number' && Number.isFinite(converted) ? converted : undefined;
}

/** Floats are cut. Beyond 2^53 the nearest safe integer serves as well: it is only compared and counted with. */
function integer(data: DataDictionary, key: string): number | undefined {
  const value = number(data, key);
  if (value === undefined) return undefined;
  const cut = Math.trunc(Math.min(Math.max(value, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER));
  // Cutting -0.5 gives -0, which a database gives back as 0.
  return cut === 0 ? 0 : cut;
}

/** A negative limit limits nothing, as 0 does; and what meta() answers must be fit to be given to setMeta(). */
function limit(data: DataDictionary, key: string): number {
  return Math.max(0, integer(data, key) ?? 0);
}

/** Given in seconds; kept to the microsecond, since 1.001 × 1000 is 1000.9999999999999. Within what a duration may be. */
function interval(data: DataDictionary): number {
  const seconds = number(data, 'interval') ?? 0;
  return Math.min(Math.max(0, Math.round(seconds * 1e6) / 1e3), maxDurationMs);
}

function flag(data: DataDictionary, key: string): boolean {
  return member(data, key) === true;
}

function text(data: DataDictionary, key: string): string {
  const value = member(data, key);
  return typeof value === 'string' ? value : '';
}
