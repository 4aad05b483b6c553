import type { DataDictionary } from '../codec/index.js';
import type { AttemptReport, AttemptVerdict } from '../core/attempt/attempt-report.js';
import type { Attempt } from '../core/attempt/attempt.js';
import { readableData } from '../core/attempt/readable-data.js';
import type { Namespace } from '../core/namespace/namespace.js';
import { BadCborError, CoordinateError, InvalidArgumentError } from '../errors/index.js';
import { failToDeadLetter } from './dead-letter.js';
import { errorData } from './error-data.js';
import type { Outcome } from './outcome.js';
import { patiently } from './patiently.js';
import { ReportBuffer, type ToldReport } from './report-buffer.js';
import { afterError, retryPolicyOf } from './retry-policy.js';
import type { RunningAttempt } from './running-work.js';
import type { RegisteredHandler } from './registered-handler.js';
import type { WorkSpecCache } from './work-spec-cache.js';
import type { WorkerLogger } from './worker-logger.js';

/** A first try that has failed. */
interface Failure {
  readonly error: unknown;
}

export interface ReporterOptions {
  readonly namespace: Namespace;
  readonly specs: WorkSpecCache;
  readonly logger: WorkerLogger;
  readonly random: () => number;
  /** Fires when there is no time left to wait for a database that cannot be reached. */
  readonly hurry: AbortSignal;
  /** Told when reports have been committed, or refused; the list is good only while it is told. */
  readonly onReported: (all: readonly RunningAttempt[]) => void;
}

/**
 * The report of a handler that has ended well: one object, as nearly every unit needs one. Only attempt and data are fields: finishAll refuses
 * reports with others.
 */
class FinishReport implements ToldReport {
  readonly attempt: Attempt;
  readonly data: DataDictionary | undefined;
  readonly #running: RunningAttempt;
  readonly #handler: RegisteredHandler;
  readonly #onSettled: (report: FinishReport, error: unknown) => void;

  constructor(
    running: RunningAttempt,
    data: DataDictionary | undefined,
    handler: RegisteredHandler,
    onSettled: (report: FinishReport, error: unknown) => void,
  ) {
    this.attempt = running.attempt;
    this.data = data;
    this.#running = running;
    this.#handler = handler;
    this.#onSettled = onSettled;
  }

  get running(): RunningAttempt {
    return this.#running;
  }

  get handler(): RegisteredHandler {
    return this.#handler;
  }

  settle(error: unknown): void {
    this.#onSettled(this, error);
  }
}

/** Reports what has come of attempts: those that end at about the same time together, and again while the database cannot be reached. */
export class Reporter {
  readonly #options: ReporterOptions;
  readonly #finished: ReportBuffer;
  readonly #failed: ReportBuffer;
  /** What a statement has reported, until all of it is known. */
  readonly #reported: RunningAttempt[] = [];

  constructor(options: ReporterOptions) {
    this.#options = options;
    const { namespace } = options;
    this.#finished = new ReportBuffer((reports) => namespace.finishAll(reports).catch(oneByOne(reports, (one) => namespace.finishAll(one))), () => this.#tellReported());
    this.#failed = new ReportBuffer((reports) => namespace.failAll(reports).catch(oneByOne(reports, (one) => namespace.failAll(one))));
  }

  /** What cannot be reported is logged, and its lease ends. */
  report(running: RunningAttempt, outcome: Outcome, handler: RegisteredHandler): void {
    if (outcome.kind !== 'finish') {
      void this.#report(running, outcome, handler).then(() => this.#options.onReported([running]));
      return;
    }
    // Nearly all reports, and nearly always all goes well.
    this.#finished.add(new FinishReport(running, outcome.data, handler, this.#onSettled));
  }

  readonly #onSettled = ({ running, data, handler }: FinishReport, error: unknown): void => {
    if (error === null) this.#reported.push(running);
    else void this.#report(running, { kind: 'finish', data }, handler, { error }).then(() => this.#options.onReported([running]));
  };

  #tellReported(): void {
    try {
      if (this.#reported.length > 0) this.#options.onReported(this.#reported);
    } finally {
      // Not a new one, see Answered of slots.ts.
      this.#reported.length = 0;
    }
  }

  /** Never rejects. `failure`: what has come of a first try. */
  async #report(running: RunningAttempt, outcome: Outcome, handler: RegisteredHandler, failure?: Failure): Promise<void> {
    try {
      await this.#patiently(running.attempt, () => this.#send(running, outcome, handler), failure);
    } catch (error) {
      if (error instanceof InvalidArgumentError && outcome.kind !== 'error') {
        // The handler's answer cannot be stored: that is an error of the handler's.
        await this.#report(running, { kind: 'error', error }, handler);
        return;
      }
      const { logger } = this.#options;
      const what = `${running.workSpec} ${running.name}: the attempt ${running.number} could not be reported (${outcome.kind})`;
      if (error instanceof CoordinateError && isRefusal(error)) logger.info(`${what}: ${error.message}`);
      else logger.error(`${what}: ${error instanceof Error ? error.message : String(error)}; it goes to another worker when its lease ends`);
    }
  }

  /** Gives a unit back for others to work on at once. */
  async giveBack(attempt: Attempt): Promise<void> {
    const { logger } = this.#options;
    await this.#patiently(attempt, () => attempt.expire()).catch((error: unknown) => {
      if (error instanceof CoordinateError && isRefusal(error)) return;
      const problem = error instanceof Error ? error.message : String(error);
      logger.warn(`${attempt.workUnit.name} could not be given back: ${problem}; it goes to another worker when its lease ends`);
    });
  }

  async #send(running: RunningAttempt, outcome: Outcome, handler: RegisteredHandler): Promise<void> {
    const { attempt } = running;
    switch (outcome.kind) {
      case 'finish':
        return this.#finished.send(reportOf(attempt, outcome.data));
      case 'retry':
        return attempt.retry(outcome.data, outcome.delayMs);
      case 'give-back':
        return attempt.expire();
      case 'fail': {
        const error = outcome.error === undefined ? {} : { error: errorData(outcome.error) };
        const data = await dataOf(attempt);
        return this.#fail(running, { data: { ...(outcome.data ?? data), ...error }, unitData: data }, handler, outcome.error);
      }
      case 'error':
        return this.#afterError(running, outcome.error, handler);
      case 'drop':
    }
  }

  async #afterError(running: RunningAttempt, error: unknown, handler: RegisteredHandler): Promise<void> {
    const { specs, random } = this.#options;
    const policy = retryPolicyOf(await specs.definition(running.workSpec), handler.retry);
    const errorsBefore = policy.limit === 0 ? 0 : await countErrors(running.attempt);
    const decision = afterError(policy, error, errorsBefore, random);
    const what = inWords(errorData(error));
    if (decision.kind === 'retry') {
      running.log.warn(`${what}; to be tried again in ${decision.delayMs} ms`);
      return running.attempt.retry({ error: errorData(error) }, decision.delayMs);
    }
    running.log.error(`${what}; failed for good`);
    // Not those in this process: the handler may have changed them.
    const data = await dataOf(running.attempt);
    return this.#fail(running, { data: { ...data, error: errorData(error) }, unitData: data }, handler, error);
  }

  async #fail(
    { attempt, workSpec, log }: RunningAttempt,
    { data, unitData }: { readonly data: DataDictionary; readonly unitData: DataDictionary },
    handler: RegisteredHandler,
    thrown: unknown,
  ): Promise<void> {
    const error = errorData(thrown ?? 'failed by its handler');
    const { deadLetter } = retryPolicyOf(await this.#options.specs.definition(workSpec), handler.retry);
    // A dead letter that dies stays where it is.
    if (deadLetter === null || deadLetter === workSpec) return this.#failed.send({ attempt, data });
    return failToDeadLetter(attempt, { data, unitData, error }, deadLetter).catch(async (problem: unknown) => {
      if (!(problem instanceof InvalidArgumentError)) throw problem;
      log.error(`no dead letter can be made of it: ${problem.message}`);
      return this.#failed.send({ attempt, data: { error } });
    });
  }

  /** Tries again while the database cannot be reached. What a lost connection had committed all the same is no refusal. */
  async #patiently(attempt: Attempt, send: () => Promise<void>, failure?: Failure): Promise<void> {
    const { hurry, random, logger } = this.#options;
    let again = false;
    let first = failure;
    await patiently(
      async () => {
        try {
          if (first !== undefined) {
            const { error } = first;
            first = undefined;
            throw error;
          }
          await send();
        } catch (error) {
          if (!again || !(error instanceof CoordinateError && error.code === 'NotPending')) throw error;
          const { status } = await attempt.read();
          if (status === 'pending') throw error;
        }
      },
      {
        signal: hurry,
        random,
        onRetry: (error) => {
          again = true;
          logger.warn(`a report waits for the database: ${error.message}`);
        },
      },
    );
  }
}

/** An attempt's data as they are now. Those that cannot be decoded have no part in what is reported, and stay with the unit as they are. */
async function dataOf(attempt: Attempt): Promise<DataDictionary> {
  try {
    return (await attempt.read()).data;
  } catch (error) {
    if (error instanceof BadCborError) return {};
    throw error;
  }
}

/** How many attempts of a unit were retried because of an error since it last ended. */
async function countErrors({ workUnit, number }: Attempt): Promise<number> {
  let errors = 0;
  for (const attempt of (await workUnit.attempts()).reverse()) {
    if (attempt.number >= number) continue;
    if (attempt.status === 'finished' || attempt.status === 'failed') break;
    if (attempt.status === 'retryable' && isErrorOnly(readableData(attempt))) errors++;
  }
  return errors;
}

/** An error and what caused it, in one line. */
function inWords({ name, message, cause }: DataDictionary): string {
  const because = cause === undefined ? '' : ` (${inWords(cause as DataDictionary)})`;
  return `${String(name)}: ${String(message)}${because}`;
}

/** What a retry because of an error leaves behind. One that a handler has asked for leaves the unit's data, or what it gave. */
function isErrorOnly(data: DataDictionary): boolean {
  const { error, ...others } = data;
  return Object.keys(others).length === 0 && typeof (error as { readonly name?: unknown } | undefined)?.name === 'string';
}

function reportOf(attempt: Attempt, data: DataDictionary | undefined): AttemptReport {
  return data === undefined ? { attempt } : { attempt, data };
}

function isRefusal({ code }: CoordinateError): boolean {
  return code === 'LostLease' || code === 'NotPending' || code === 'Gone';
}

/** Data that cannot be stored are refused before anything is sent: then each report is for itself, so that only the bad one suffers. */
function oneByOne(
  reports: readonly AttemptReport[],
  send: (reports: readonly AttemptReport[]) => Promise<readonly AttemptVerdict[]>,
): (error: unknown) => Promise<AttemptVerdict[]> {
  return async (error) => {
    if (!(error instanceof InvalidArgumentError)) throw error;
    const verdicts: AttemptVerdict[] = [];
    for (const report of reports) {
      const refused = (problem: unknown): AttemptVerdict[] => {
        if (problem instanceof InvalidArgumentError) return [{ attempt: report.attempt, error: problem }];
        throw problem;
      };
      verdicts.push(...(await send([report]).catch(refused)));
    }
    return verdicts;
  };
}
