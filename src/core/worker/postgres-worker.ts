import { decodeData, encodeData, type DataDictionary } from '../../codec/index.js';
import { GoneError, InvalidArgumentError, WrongBackendError } from '../../errors/index.js';
import { checkDate, checkDuration, checkInteger, checkList, checkOptions, kindOf } from '../../options/index.js';
import { attemptOfNamespaceFromRow } from '../attempt/attempt-from-row.js';
import { defaultLifetimeMs } from '../attempt/lifetime.js';
import { listActiveAttempts, listAllAttempts, listChildAttempts } from '../attempt/list-attempts.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { forceAttempts } from '../attempt/force-attempts.js';
import type { Bucket } from '../backend.js';
import { instant, nameFromBytes } from '../instant.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import type { WorkSignal } from '../notify/work-signal.js';
import { tellAnswered } from '../telemetry/tell.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { WorkUnit } from '../work-unit/work-unit.js';
import type { AttemptRequest } from './attempt-request.js';
import { checkAttemptRequest, checkNamingRequest } from './check-attempt-request.js';
import { armAndLook, requestAttempts } from './request-attempts.js';
import { attemptsStarted } from './attempts-started.js';
import type { IdleWorker, LastLook, Taker } from './waiting-worker.js';
import { deactivateWorker, listChildren, readWorker, setParent, updateWorker } from './worker-statements.js';
import type { AttemptListOptions, Worker, WorkerState, WorkerUpdate } from './worker.js';

/** A worker in one bucket of one database. */
export class PostgresWorker implements IdleWorker {
  readonly namespace: PostgresNamespace;
  readonly id: number;
  readonly name: string;

  constructor(namespace: PostgresNamespace, id: number, name: string) {
    this.namespace = namespace;
    this.id = id;
    this.name = name;
  }

  get bucket(): Bucket {
    return this.namespace.bucket;
  }

  async read(): Promise<WorkerState> {
    const [row] = await this.bucket.run(readWorker, [this.id]);
    if (row === undefined) throw new GoneError();
    return {
      parent: row.parent_name === null ? null : nameFromBytes(row.parent_name),
      active: row.active === true,
      mode: String(row.mode),
      data: row.data === null ? null : decodeData(row.data as Buffer),
      expiration: instant(row.expires_at),
      lastUpdate: instant(row.updated_at),
    };
  }

  async update(update: WorkerUpdate): Promise<void> {
    const { data, now, expiration, mode = '' } = checkOptions(update, 'update', ['data', 'now', 'expiration', 'mode']);
    if (typeof mode !== 'string') throw new InvalidArgumentError('update.mode', `must be a string, not ${kindOf(mode)}`);
    if (mode.includes('\0')) throw new InvalidArgumentError('update.mode', 'must not hold a zero character');
    await this.#change(updateWorker, [
      (data ?? null) === null ? null : encodeData(data as DataDictionary, 'update.data'),
      now === undefined ? null : checkDate(now, 'update.now').toISOString(),
      expiration === undefined ? null : checkDate(expiration, 'update.expiration').toISOString(),
      mode.toWellFormed(),
      this.bucket.backend.now(),
    ]);
  }

  async deactivate(): Promise<void> {
    await this.#change(deactivateWorker, []);
  }

  async setParent(parent: Worker | null): Promise<void> {
    if (parent !== null) {
      if (typeof parent !== 'object') throw new InvalidArgumentError('parent', `must be a worker, not ${kindOf(parent)}`);
      if (!(parent instanceof PostgresWorker) || parent.bucket.backend !== this.bucket.backend) throw new WrongBackendError();
      if (parent.namespace.name !== this.namespace.name) {
        throw new InvalidArgumentError('parent', 'must be of the same namespace');
      }
    }
    await this.#change(setParent, [parent === null ? null : (parent).id]);
  }

  async children(): Promise<PostgresWorker[]> {
    const rows = await this.bucket.run(listChildren, [this.id]);
    if (rows.length === 0) await this.read();
    return rows.map((row) => new PostgresWorker(this.namespace, Number(row.id), nameFromBytes(row.name)));
  }

  async requestAttempts<Data extends DataDictionary = DataDictionary>(
    request?: AttemptRequest<Data>,
  ): Promise<PostgresAttempt<Data>[]> {
    const checked = checkAttemptRequest(request);
    const { backend } = this.bucket;
    return (await tellAnswered(backend, this.namespace.name, () => requestAttempts(this, checked))) as PostgresAttempt<Data>[];
  }

  /** See IdleWorker. */
  isDry(workSpecs: readonly string[]): boolean {
    return workSpecs.every((name) => this.bucket.directClaims.isDry(this.namespace.id, name));
  }

  /** See IdleWorker. */
  async armAndLook(signal: WorkSignal, request: AttemptRequest): Promise<LastLook> {
    return armAndLook(this, signal, checkNamingRequest(request));
  }

  /** See IdleWorker. */
  takeWhileIdle(request: AttemptRequest, taker: Taker): () => void {
    const checked = checkNamingRequest(request);
    return this.bucket.idleWorkers.add(this.namespace.id, {
      workerId: this.id,
      request: checked,
      ...taker,
      attemptsOf: (specId, row, beganAt) => attemptsStarted(this, { specId, lifetimeMs: checked.lifetimeMs, beganAt }, row),
    });
  }

  async makeAttempt<Data extends DataDictionary>(
    unit: WorkUnit<Data>,
    lifetimeMs = defaultLifetimeMs,
  ): Promise<PostgresAttempt<Data>> {
    const ours = this.#ownUnit(unit, 'unit');
    const [attempt] = await this.#force([ours], checkDuration(lifetimeMs, 'lifetimeMs'));
    if (attempt === undefined) throw new GoneError();
    return attempt as unknown as PostgresAttempt<Data>;
  }

  async makeAttempts<Data extends DataDictionary>(
    units: readonly WorkUnit<Data>[],
    lifetimeMs = defaultLifetimeMs,
  ): Promise<PostgresAttempt<Data>[]> {
    const ours = checkList(units, 'units', (unit, field) => this.#ownUnit(unit, field));
    const lifetime = checkDuration(lifetimeMs, 'lifetimeMs');
    return (await this.#force(ours, lifetime)) as unknown as PostgresAttempt<Data>[];
  }

  async activeAttempts(): Promise<PostgresAttempt[]> {
    return this.#attempts(await this.bucket.look(listActiveAttempts, [this.id]));
  }

  async allAttempts(options?: AttemptListOptions): Promise<PostgresAttempt[]> {
    const { after = 0, limit = 1_000 } = checkOptions(options, 'options', ['after', 'limit']);
    const from = checkInteger(after, 'options.after');
    const most = checkInteger(limit, 'options.limit', { least: 0 });
    return this.#attempts(await this.bucket.look(listAllAttempts, [this.id, from, most]));
  }

  async childAttempts(): Promise<PostgresAttempt[]> {
    return this.#attempts(await this.bucket.look(listChildAttempts, [this.id]));
  }

  #ownUnit(unit: unknown, field: string): PostgresWorkUnit {
    if (typeof unit !== 'object' || unit === null) {
      throw new InvalidArgumentError(field, `must be a work unit, not ${kindOf(unit)}`);
    }
    if (!(unit instanceof PostgresWorkUnit) || unit.bucket.backend !== this.bucket.backend) throw new WrongBackendError();
    const ours = unit as PostgresWorkUnit;
    if (ours.workSpec.namespace.name !== this.namespace.name) {
      throw new InvalidArgumentError(field, "must be of the worker's namespace");
    }
    return ours;
  }

  async #force(units: readonly PostgresWorkUnit[], lifetimeMs: number): Promise<PostgresAttempt[]> {
    await this.read();
    if (units.length === 0) return [];
    const forced = await forceAttempts(this, units, lifetimeMs);
    const { telemetry } = this.bucket.backend;
    for (const { attempt, superseded } of forced) {
      telemetry?.onForced?.(attempt);
      if (superseded) telemetry?.onLapsed?.({ cause: 'superseded', namespace: this.namespace.name, workSpec: attempt.workUnit.workSpec.name, count: 1 });
    }
    return forced.map(({ attempt }) => attempt);
  }

  async #attempts(rows: Awaited<ReturnType<Bucket['look']>>): Promise<PostgresAttempt[]> {
    if (rows.length === 0) await this.read();
    return rows.map((row) => attemptOfNamespaceFromRow(this.namespace, row));
  }

  async #change(change: typeof updateWorker, values: readonly unknown[]): Promise<void> {
    const rows = await this.bucket.run(change, [this.id, ...values]);
    if (rows.length === 0) throw new GoneError();
  }
}
