import { boolArray, byteaArray, int4Array, int8Array, sqlState, type Executor, type Row } from '../../database/index.js';
import { InvalidArgumentError, WrongBackendError, type CoordinateError } from '../../errors/index.js';
import { checkBoolean, checkEach, checkOptions, kindOf } from '../../options/index.js';
import type { Bucket } from '../backend.js';
import type { TransactionOptions } from '../coordinate.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { attemptPayloads, type AttemptChange } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { wakeForEnds } from '../notify/wake.js';
import { namespaceOfSpec } from '../work-spec/spec-ids.js';
import { addOutput } from './add-output.js';
import type { EndStatus } from './attempt-status.js';
import type { AttemptReport, AttemptVerdict, EndAllOptions, RenewReport } from './attempt-report.js';
import { PostgresAttempt, reportOf } from './postgres-attempt.js';
import { arePlaced, endByPlaces } from './placed-reports.js';
import { inOrder, isAscending, isInRange, mayHaveOutput, specsOf, type EndSettings, type Report } from './report.js';
import { endAttempts as endStatement, endUndisturbed, renewAttempts as renewStatement, renewAttemptsInRanges } from './report-attempts.js';
import { settle } from './settle.js';
import { tellVerdicts } from '../telemetry/tell.js';

type Verdict = CoordinateError | null;

/**
 * Ends attempts; resolves to what became of each. One statement takes those that are active and have no output; a transaction those
 * that have, and adds it; the rest go one at a time through settle(). Without a client each of these commits by itself: a verdict
 * holds for its own attempt.
 */
export async function endAttempts(
  bucket: Bucket,
  status: EndStatus,
  reports: readonly Report[],
  options: TransactionOptions | undefined,
): Promise<Verdict[]> {
  const on = options?.client === undefined ? undefined : bucket.backend.executor(options, 'options');
  return endAttemptsOn(bucket, status, reports, on);
}

/** The same on a transaction that is open; undefined: in transactions of its own. */
async function endAttemptsOn(
  bucket: Bucket,
  status: EndStatus,
  reports: readonly Report[],
  on: Executor | undefined,
): Promise<Verdict[]> {
  const { database } = bucket.backend;
  const inTransaction = <T>(work: (executor: Executor) => Promise<T>): Promise<T> =>
    on === undefined ? database.transaction({}, work) : work(on);

  const first = firstOfEach(reports);
  const [only] = reports;
  const ended =
    on === undefined && only !== undefined && reports.length === 1
      ? new Set((await bucket.ends.end(status, only)) ? [only.number] : [])
      : await endActive(bucket, status, first, on ?? database);
  if (ended.size === reports.length) return reports.map(() => null);
  const withOutput = first.filter(({ number, hasOutput }) => !ended.has(number) && hasOutput !== false);
  if (status === 'finished' && withOutput.length > 0 && on === undefined) {
    const chained = await inTransaction((executor) => endActive(bucket, status, withOutput, executor));
    for (const number of chained) ended.add(number);
  }
  return settleRest(reports, ended, (report) =>
    inTransaction((executor) => settle(bucket, status, report, 0, executor)),
  );
}

export interface EndActiveOptions {
  /** What is told who watches. @default the status */
  readonly change?: AttemptChange;
  /** How long the statement waits for each lock, such as `50ms`, before it fails with 55P03. @default as the session has it */
  readonly lockTimeout?: string;
}

/**
 * Ends those that are active, and tells who watches; resolves to their numbers. All are of one namespace. Those with output for a next spec are
 * ended only where `on` is a transaction, in which it is added as well.
 */
export async function endActive(
  bucket: Bucket,
  status: EndStatus,
  given: readonly Report[],
  on: Executor,
  options: EndActiveOptions = {},
): Promise<Set<number>> {
  const [first] = given;
  if (first === undefined) return new Set();
  const takesOutput = on !== bucket.backend.database;
  const inRanges = takesOutput ? [] : given.filter(isInRange);
  if (inRanges.length > 0 && inRanges.length < given.length) {
    // The statements for the one kind know nothing of the other.
    const ended = await endActive(bucket, status, inRanges, on, options);
    const others = given.filter((report) => !isInRange(report));
    return new Set([...ended, ...(await bucket.backend.database.continuing(() => endActive(bucket, status, others, on, options)))]);
  }
  const { change = status, lockTimeout } = options;
  const reports = inOrder(given, ({ unitId }) => unitId);
  const namespaceId = namespaceOfSpec(first.specId);
  const settings = { status, namespaceId, takesOutput, lockTimeout };
  const undisturbed = takesOutput ? undefined : await endIfUndisturbed(bucket, reports, settings);
  const end = (): Promise<readonly Row[]> => bucket.run(endStatement, [...endParameters(bucket, reports, settings), takesOutput], on);
  const [answer, ...withOutput] = undisturbed ?? (await bucket.backend.database.continuing(end));
  bucket.counts.count();
  if (takesOutput) {
    for (const report of reports.filter(isInRange)) bucket.leftRanges.left(report, report.place?.range);
    await addOutput(bucket, withOutput, on);
  }
  const ended = new Set(answer?.are_all === true ? reports.map(({ number }) => number) : numbersIn(answer?.numbers));
  // Those that have not may have ended before, by a report of which the answer was lost.
  wakeForEnds(bucket, namespaceId, reports.map(({ specId }) => specId), on);
  if (answer?.watched === true) {
    await send(bucket, attemptPayloads(change, namespaceId, reports.filter(({ number }) => ended.has(number))), on);
  }
  return ended;
}

/** Undefined: somebody else has changed one of them meanwhile, or is about to, and nothing was done. */
async function endIfUndisturbed(bucket: Bucket, reports: readonly Report[], settings: EndSettings): Promise<readonly Row[] | undefined> {
  // The plan is to go through places or ids in one scan, whatever the sessions of others would prefer.
  const byPlaces = bucket.backend.isSetUp && arePlaced(reports);
  try {
    if (byPlaces) return await endByPlaces(bucket, reports, settings);
    return await bucket.run(endUndisturbed, endParameters(bucket, reports, settings));
  } catch (error) {
    const state = sqlState(error);
    if (state === 'PC003' || (state === '55P03' && byPlaces)) return undefined;
    throw error;
  }
}

/** A list as string_agg writes it; null: it is empty. */
function numbersIn(list: unknown): number[] {
  return typeof list === 'string' ? list.split(',').map(Number) : [];
}

function endParameters(
  { backend }: Bucket,
  reports: readonly Report[],
  { status, namespaceId, takesOutput, lockTimeout }: EndSettings,
): readonly unknown[] {
  const [specIds, specs] = specsOf(reports);
  return [
    status,
    int8Array(reports.map(({ unitId }) => unitId)),
    int8Array(reports.map(({ number }) => number)),
    byteaArray(reports.map(({ data }) => data)),
    boolArray(reports.map((report) => mayHaveOutput(status, report))),
    backend.now(),
    takesOutput,
    namespaceId,
    int8Array(specIds),
    int4Array(specs),
    lockTimeout ?? null,
  ];
}

/** Renews leases; resolves to what became of each. */
export async function renewReports(bucket: Bucket, reports: readonly Report[], lifetimeMs: number): Promise<Verdict[]> {
  const { backend } = bucket;
  const first = firstOfEach(reports);
  const parametersOf = (asked: readonly Report[]): readonly unknown[] => [
    int8Array(asked.map(({ unitId }) => unitId)),
    int8Array(asked.map(({ number }) => number)),
    byteaArray(asked.map(({ data }) => data)),
    lifetimeMs,
    backend.now(),
  ];
  const renewed = new Set<number>();
  for (const renew of [renewStatement, renewAttemptsInRanges]) {
    const rest = first.filter(({ number }) => !renewed.has(number));
    if (rest.length === 0) break;
    for (const row of await bucket.run(renew, parametersOf(rest))) renewed.add(Number(row.number));
  }
  return settleRest(reports, renewed, (report) => settle(bucket, 'renewed', report, lifetimeMs, backend.database));
}

/** `namespace.finishAll` and `failAll`. */
export async function endAll(
  namespace: PostgresNamespace,
  status: EndStatus,
  reports: readonly AttemptReport[],
  options: EndAllOptions | undefined,
): Promise<AttemptVerdict[]> {
  const { client, allOrNone = false } = checkOptions(options, 'options', ['client', 'allOrNone']);
  if (checkBoolean(allOrNone, 'options.allOrNone') && client !== undefined) {
    throw new InvalidArgumentError('options.allOrNone', 'is for calls without a client: the transaction of the client decides');
  }
  const checked = checkReports(namespace, reports);
  await checkIncarnation(namespace, reports, namespace.bucket.backend.executor(options, 'options'));
  const end = allOrNone ? endAllOrNone(namespace.bucket, status, checked) : endAttempts(namespace.bucket, status, checked, options);
  const verdicts = verdictsOf(reports, await end);
  tellVerdicts(namespace.bucket.backend, status, verdicts, options);
  return verdicts;
}

/** Raises the first refusal, and then changes nothing. */
async function endAllOrNone(bucket: Bucket, status: EndStatus, reports: readonly Report[]): Promise<Verdict[]> {
  return bucket.backend.database.transaction({}, async (executor) => {
    const verdicts = await endAttemptsOn(bucket, status, reports, executor);
    const refusal = verdicts.find((error) => error !== null);
    if (refusal) throw refusal;
    return verdicts;
  });
}

/** `namespace.renewAll`. */
export async function renewAll(
  namespace: PostgresNamespace,
  reports: readonly RenewReport[],
  lifetimeMs: number,
): Promise<AttemptVerdict[]> {
  const checked = checkReports(namespace, reports);
  await checkIncarnation(namespace, reports);
  return verdictsOf(reports, await renewReports(namespace.bucket, checked, lifetimeMs));
}

/** A statement judges an attempt once: of several reports on one attempt the first goes to it, the others to settle(). */
function firstOfEach(reports: readonly Report[]): readonly Report[] {
  if (isAscending(reports, ({ number }) => number)) return reports;
  if (new Set(reports.map(({ number }) => number)).size === reports.length) return reports;
  return [...new Map(reports.toReversed().map((report) => [report.number, report])).values()].toReversed();
}

/** One at a time and in order: the same attempt may be reported on twice. */
async function settleRest(
  reports: readonly Report[],
  done: Set<number>,
  settleReport: (report: Report) => Promise<Verdict>,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  for (const report of reports) {
    verdicts.push(done.delete(report.number) ? null : await settleReport(report));
  }
  return verdicts;
}

/** Through the object of a namespace that is gone, nothing is to be done to attempts of the one that has its name now. */
async function checkIncarnation(namespace: PostgresNamespace, reports: readonly AttemptReport[], on?: Executor): Promise<void> {
  const isOther = ({ attempt }: AttemptReport): boolean =>
    attempt instanceof PostgresAttempt && attempt.workUnit.workSpec.namespace.id !== namespace.id;
  if (reports.some(isOther)) await namespace.checkExists(on);
}

const reportKeys = ['attempt', 'data'] as const;

function checkReports(namespace: PostgresNamespace, reports: readonly AttemptReport[]): Report[] {
  return checkEach(reports, 'reports', (report, fieldOf) => {
    const { attempt, data } = checkOptions(report as AttemptReport, fieldOf, reportKeys);
    if (typeof attempt !== 'object' || attempt === null) {
      throw new InvalidArgumentError(`${fieldOf()}.attempt`, `must be an attempt, not ${kindOf(attempt)}`);
    }
    if (!(attempt instanceof PostgresAttempt)) throw new WrongBackendError();
    const ours = attempt as PostgresAttempt;
    const owner = ours.workUnit.workSpec.namespace;
    if (owner.bucket.backend !== namespace.bucket.backend) throw new WrongBackendError();
    if (owner.name !== namespace.name) throw new InvalidArgumentError(`${fieldOf()}.attempt`, 'must be of this namespace');
    return reportOf(ours, data, () => `${fieldOf()}.data`);
  });
}

function verdictsOf(reports: readonly AttemptReport[], verdicts: readonly Verdict[]): AttemptVerdict[] {
  return reports.map(({ attempt }, index) => ({ attempt, error: verdicts[index] ?? null }));
}
