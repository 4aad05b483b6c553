import type { DataDictionary } from '../../codec/index.js';
import type { AttemptStatus } from '../../core/attempt/attempt-status.js';
import type { Attempt, AttemptState } from '../../core/attempt/attempt.js';
import { defaultLifetimeMs } from '../../core/attempt/lifetime.js';
import type { TransactionOptions } from '../../core/coordinate.js';
import { checkDuration } from '../../options/index.js';
import { attemptStateFromBody, durationToWire, type AttemptAction, type AttemptCompletionBody } from '../wire/index.js';
import type { Connection } from './connection.js';
import type { Links } from './links.js';
import { refuseTransaction, transactionsNeedPostgres } from './refuse-transaction.js';
import type { RestWorkUnit } from './rest-work-unit.js';
import type { RestWorker } from './rest-worker.js';

/** What an attempt belongs to, and where it is. */
export interface AttemptPlace<Data extends DataDictionary> {
  readonly workUnit: RestWorkUnit<Data>;
  readonly worker: RestWorker;
  readonly number: number;
  readonly url: URL;
  readonly links: Links;
}

/** An attempt that is reached over HTTP. */
export class RestAttempt<Data extends DataDictionary = DataDictionary> implements Attempt<Data> {
  readonly number: number;
  readonly workUnit: RestWorkUnit<Data>;
  readonly worker: RestWorker;
  readonly status: AttemptStatus;
  readonly data: Data;
  readonly startTime: Date;
  readonly endTime: Date | null;
  readonly expirationTime: Date;
  readonly url: URL;
  readonly #links: Links;

  constructor({ workUnit, worker, number, url, links }: AttemptPlace<Data>, state: AttemptState<Data>) {
    this.workUnit = workUnit;
    this.worker = worker;
    this.number = number;
    this.url = url;
    this.#links = links;
    this.status = state.status;
    this.data = state.data;
    this.startTime = state.startTime;
    this.endTime = state.endTime;
    this.expirationTime = state.expirationTime;
  }

  async read(): Promise<AttemptState<Data>> {
    return this.#use(async () => attemptStateFromBody((await this.#connection.get(this.url)).body) as AttemptState<Data>);
  }

  async renew(lifetimeMs = defaultLifetimeMs, data?: DataDictionary): Promise<void> {
    const extension = { extend_duration: durationToWire(checkDuration(lifetimeMs, 'lifetimeMs')) };
    await this.#report('renew', data, extension);
  }

  async expire(data?: DataDictionary): Promise<void> {
    await this.#report('expire', data);
  }

  async finish(data?: DataDictionary, options?: TransactionOptions): Promise<void> {
    refuseTransaction(options);
    await this.#report('finish', data);
  }

  async fail(data?: DataDictionary, options?: TransactionOptions): Promise<void> {
    refuseTransaction(options);
    await this.#report('fail', data);
  }

  async retry(data?: DataDictionary, delayMs = 0, options?: TransactionOptions): Promise<void> {
    refuseTransaction(options);
    await this.#report('retry', data, { delay: durationToWire(checkDuration(delayMs, 'delayMs')) });
  }

  /** Raises InvalidArgument: the fence holds in a transaction, and these need PostgreSQL. */
  async requireHeld(options: Required<TransactionOptions>): Promise<void> {
    refuseTransaction(options);
    throw transactionsNeedPostgres('requireHeld()');
  }

  /** Sends a report that has been checked. */
  async report(action: AttemptAction, completion: AttemptCompletionBody): Promise<void> {
    await this.#connection.ask('POST', this.#links.url(`${action}_url`), { body: completion });
  }

  #use<T>(work: () => Promise<T>): Promise<T> {
    return this.#connection.use(work, 'attempt');
  }

  get #connection(): Connection {
    return this.workUnit.workSpec.namespace.connection;
  }

  async #report(action: AttemptAction, data: DataDictionary | undefined, more: AttemptCompletionBody = {}): Promise<void> {
    const completion = { ...more, ...(data !== undefined && { data: this.#connection.dataToWire(data, 'data') }) };
    await this.#use(() => this.report(action, completion));
  }
}
