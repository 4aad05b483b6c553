import { encodeData, type DataDictionary } from '../../codec/index.js';
import { GoneError, InvalidArgumentError } from '../../errors/index.js';
import { checkDuration, checkOptions } from '../../options/index.js';
import type { Bucket } from '../backend.js';
import type { TransactionOptions } from '../coordinate.js';
import type { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { PostgresWorker } from '../worker/postgres-worker.js';
import { attemptStateFromRow } from './attempt-from-row.js';
import type { AttemptPlace } from './attempt-place.js';
import type { AttemptStatus, EndStatus } from './attempt-status.js';
import type { Attempt, AttemptState } from './attempt.js';
import { endAttempts, renewReports } from './batch-reports.js';
import { defaultLifetimeMs } from './lifetime.js';
import { readAttempt } from './list-attempts.js';
import { requireAttempt } from './report-attempts.js';
import type { Report } from './report.js';
import { settle } from './settle.js';
import { tellEnded } from '../telemetry/tell.js';

/** An attempt in one bucket of one database. */
export class PostgresAttempt<Data extends DataDictionary = DataDictionary> implements Attempt<Data> {
  readonly number: number;
  readonly workUnit: PostgresWorkUnit<Data>;
  readonly worker: PostgresWorker;
  readonly status: AttemptStatus;
  readonly startTime: Date;
  readonly endTime: Date | null;
  readonly expirationTime: Date;
  #data: Data | undefined;
  readonly #source: { readonly data: Data };
  #place: AttemptPlace | undefined;
  #leaseSlot: number | undefined;

  /** `source` is where the data come from when they are first asked for. */
  constructor(
    workUnit: PostgresWorkUnit<Data>,
    worker: PostgresWorker,
    of: Omit<AttemptState<Data>, 'data'> & {
      readonly number: number;
      readonly source: { readonly data: Data };
      readonly place?: AttemptPlace | undefined;
    },
  ) {
    this.workUnit = workUnit;
    this.worker = worker;
    this.number = of.number;
    this.status = of.status;
    this.startTime = of.startTime;
    this.endTime = of.endTime;
    this.expirationTime = of.expirationTime;
    this.#source = of.source;
    this.#place = of.place;
  }

  get data(): Data {
    this.#data ??= this.#source.data;
    return this.#data;
  }

  /** Where its rows lay when it was claimed; undefined: it is not known, or they have moved. */
  get place(): AttemptPlace | undefined {
    return this.#place;
  }

  /** Its slot in the lease table of the one runtime that works on it. Only a hint: the table looks whether it is there. */
  get leaseSlot(): number | undefined {
    return this.#leaseSlot;
  }

  set leaseSlot(slot: number | undefined) {
    this.#leaseSlot = slot;
  }

  async read(): Promise<AttemptState<Data>> {
    const [row] = await this.#bucket.look(readAttempt, [this.workUnit.id, this.number]);
    if (row === undefined || row.number === null) throw new GoneError();
    return attemptStateFromRow(row);
  }

  async renew(lifetimeMs = defaultLifetimeMs, data?: DataDictionary): Promise<void> {
    const lifetime = checkDuration(lifetimeMs, 'lifetimeMs');
    this.#place = undefined;
    const [error] = await renewReports(this.#bucket, [this.#report(data)], lifetime);
    if (error) throw error;
  }

  async expire(data?: DataDictionary): Promise<void> {
    await this.#settle('expired', data, 0);
  }

  async finish(data?: DataDictionary, options?: TransactionOptions): Promise<void> {
    await this.#end('finished', data, options);
  }

  async fail(data?: DataDictionary, options?: TransactionOptions): Promise<void> {
    await this.#end('failed', data, options);
  }

  async retry(data?: DataDictionary, delayMs = 0, options?: TransactionOptions): Promise<void> {
    await this.#settle('retryable', data, checkDuration(delayMs, 'delayMs'), options);
  }

  async requireHeld(options: Required<TransactionOptions>): Promise<void> {
    const { client } = checkOptions(options, 'options', ['client']);
    if (client === undefined) throw new InvalidArgumentError('options.client', 'must be given: the fence holds in a transaction');
    const executor = this.#bucket.backend.executor(options, 'options');
    await this.#bucket.run(requireAttempt, [this.workUnit.id, this.number, this.#bucket.backend.now()], executor);
  }

  get #bucket(): Bucket {
    return this.workUnit.bucket;
  }

  async #end(
    status: EndStatus,
    data: DataDictionary | undefined,
    options: TransactionOptions | undefined,
  ): Promise<void> {
    checkOptions(options, 'options', ['client']);
    const [error] = await endAttempts(this.#bucket, status, [this.#report(data)], options);
    if (error) throw error;
    tellEnded(this.#bucket.backend, { status, attempts: [this as unknown as Attempt] }, options);
  }

  async #settle(
    action: 'expired' | 'retryable',
    data: DataDictionary | undefined,
    delayMs: number,
    options?: TransactionOptions,
  ): Promise<void> {
    checkOptions(options, 'options', ['client']);
    const executor = this.#bucket.backend.executor(options, 'options');
    const error = await settle(this.#bucket, action, this.#report(data), delayMs, executor);
    if (error) throw error;
    tellEnded(this.#bucket.backend, { status: action, attempts: [this as unknown as Attempt] }, options);
  }

  #report(data: DataDictionary | undefined): Report {
    return reportOf(this, data, () => 'data');
  }
}

/** A report as the statements take it; `fieldOf` says what errors call its data. */
export function reportOf(attempt: PostgresAttempt, data: DataDictionary | undefined, fieldOf: () => string): Report {
  return {
    unitId: attempt.workUnit.id,
    number: attempt.number,
    specId: attempt.workUnit.workSpec.id,
    data: data === undefined ? null : encodeData(data, fieldOf()),
    hasOutput: data === undefined ? null : Object.hasOwn(data, 'output'),
    place: attempt.place,
  };
}
