import { setTimeout as pause } from 'node:timers/promises';
import { decodeData, type DataDictionary } from '../../codec/index.js';
import { InvalidArgumentError, WaitTimeoutError } from '../../errors/index.js';
import { checkDuration, checkOptions, kindOf } from '../../options/index.js';
import { bytes } from '../instant.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { WorkUnit } from '../work-unit/work-unit.js';

/** How a work unit has ended. */
export interface UnitOutcome<Data extends DataDictionary = DataDictionary> {
  readonly status: 'finished' | 'failed';
  /** The data of the attempt that ended it: those reported with finish or fail, if any were. */
  readonly data: Data;
  /** The number of that attempt. */
  readonly attempt: number;
}

/** How to wait for a work unit. */
export interface WaitOptions {
  /** After how long to give up, in milliseconds. The unit goes on. @default never */
  readonly timeoutMs?: number;
  /** Gives up when it fires. The unit goes on. @default none */
  readonly signal?: AbortSignal;
}

/** Pauses between two looks at a unit of an implementation without notifications, in milliseconds. */
const firstPollMs = 50;
const longestPollMs = 1_000;

/** What `setTimeout` can hold, 24 days; nobody gives up later than that. */
const longestTimeoutMs = 2 ** 31 - 1;

/** How long the first look may take at least, in milliseconds: a `timeoutMs` of 0 asks whether the unit has ended. */
const leastLookMs = 1_000;

/**
 * Resolves once the unit is finished or failed; at once if it is. Retries and expiries are waited through. A unit that has
 * ended and was made available again in the meantime is waited for again.
 *
 * On PostgreSQL it is told by a notification, and looks by itself every 50 ms at first, every second later on, in case that none
 * arrives; all waits of a coordinate share these looks and one connection. Elsewhere it only looks.
 *
 * Raises WaitTimeout, the reason of the signal, Gone (the unit was deleted), Closed, InvalidArgument; and what the first look raises.
 *
 * @example
 * const unit = await spec.addWorkUnit('cat.jpg', { width: 120 });
 * const { status, data } = await waitFor(unit, { timeoutMs: 30_000 });
 */
export async function waitFor<Data extends DataDictionary>(
  unit: WorkUnit<Data>,
  options?: WaitOptions,
): Promise<UnitOutcome<Data>> {
  if (typeof unit !== 'object' || unit === null) {
    throw new InvalidArgumentError('unit', `must be a work unit, not ${kindOf(unit)}`);
  }
  const { timeoutMs, signal } = checkWaitOptions(options);
  signal?.throwIfAborted();
  const began = performance.now();
  const giveUp = new AbortController();
  const onAbort = (): void => giveUp.abort(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  let timer: NodeJS.Timeout | undefined;
  const giveUpAfter = (ms: number): void => {
    clearTimeout(timer);
    if (timeoutMs === undefined || timeoutMs > longestTimeoutMs) return;
    timer = setTimeout(() => giveUp.abort(new WaitTimeoutError(unit.name, timeoutMs)), Math.max(0, ms - (performance.now() - began)));
  };
  try {
    giveUpAfter(Math.max(timeoutMs ?? 0, leastLookMs));
    const ended = await orAborted(look(unit), giveUp.signal);
    if (ended !== null) return ended;
    giveUpAfter(timeoutMs ?? 0);
    return await waitUntilEnded(unit, giveUp.signal);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}

function checkWaitOptions(options: WaitOptions | undefined): WaitOptions {
  const { timeoutMs, signal } = checkOptions(options, 'options', ['timeoutMs', 'signal']);
  if (timeoutMs !== undefined) checkDuration(timeoutMs, 'options.timeoutMs');
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('options.signal', `must be an AbortSignal, not ${kindOf(signal)}`);
  }
  return { ...(timeoutMs !== undefined && { timeoutMs }), ...(signal && { signal }) };
}

/** The outcome; null while the unit can still run. */
async function look<Data extends DataDictionary>(unit: WorkUnit<Data>): Promise<UnitOutcome<Data> | null> {
  if (unit instanceof PostgresWorkUnit) {
    const row = await unit.bucket.outcomes.read(unit.id);
    return row === null ? null : outcomeFromRow<Data>(row);
  }
  const attempt = await unit.activeAttempt();
  if (attempt?.status !== 'finished' && attempt?.status !== 'failed') return null;
  return { status: attempt.status, data: attempt.data, attempt: attempt.number };
}

async function waitUntilEnded<Data extends DataDictionary>(
  unit: WorkUnit<Data>,
  signal: AbortSignal,
): Promise<UnitOutcome<Data>> {
  if (unit instanceof PostgresWorkUnit) {
    return outcomeFromRow(await unit.bucket.outcomes.wait(unit.workSpec.namespace.id, unit.id, signal));
  }
  for (let pollMs = firstPollMs; ; pollMs = Math.min(2 * pollMs, longestPollMs)) {
    await orAborted(pause(pollMs), signal);
    const ended = await orAborted(look(unit), signal);
    if (ended !== null) return ended;
  }
}

function outcomeFromRow<Data extends DataDictionary>(row: Readonly<Record<string, unknown>>): UnitOutcome<Data> {
  return {
    status: row.ended as UnitOutcome['status'],
    data: decodeData(bytes(row.data)) as Data,
    attempt: Number(row.active_attempt),
  };
}

/** Rejects as soon as the signal fires, with its reason. */
function orAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason as Error);
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
