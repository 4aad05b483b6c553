import { randomUUID } from 'node:crypto';
import type { ClientConfig, Pool } from 'pg';
import type { Clock } from '../clock/index.js';
import {
  Listener,
  sqlState,
  StatementSet,
  type Database,
  type Executor,
  type Row,
  type Statement,
  type StatementStep,
  type TransactionStep,
} from '../database/index.js';
import { ClosedError, InvalidArgumentError } from '../errors/index.js';
import type { TransactionOptions } from './coordinate.js';
import { BackgroundTask } from './background-task.js';
import { LeftRanges } from './attempt/lease-ranges.js';
import { IdleWorkers } from './worker/idle-workers.js';
import { LastClaims } from './worker/last-claims.js';
import { OutcomeAwaiter } from './notify/await-outcomes.js';
import { RecentWakes } from './notify/recent-wakes.js';
import { Watching } from './notify/watching.js';
import { foldCounts, foldLimit } from './summary/count-units.js';
import { NameMemory } from './work-unit/name-memory.js';
import { ReadyRotation } from './work-unit/ready-rotation.js';
import { CandidateCache } from './scheduler/candidate-cache.js';
import { EndQueue } from './attempt/end-queue.js';
import { AttemptFinder } from './attempt/attempt-finder.js';
import { SealedFronts } from './attempt/sealed-fronts.js';
import { DirectClaims } from './scheduler/direct-claims.js';
import { AwaitedEnds } from './scheduler/awaited-ends.js';
import { DueHorizon } from './expiry/due-horizon.js';
import { expireDue, expireDueLimit } from './expiry/expire-due.js';
import type { Telemetry } from './telemetry/telemetry.js';
import { reserveUnitIds } from './work-unit/add-early.js';
import { ReservedUnitIds } from './work-unit/reserved-unit-ids.js';
import { AddQueue } from './work-spec/add-queue.js';

export interface BackendOptions {
  readonly clock: Clock;
  readonly random: () => number;
  /** The catalog's schema; the buckets' are named after it. */
  readonly schema: string;
  /** How many buckets new namespaces are spread over. */
  readonly bucketCount: number;
  /** Whether sessions begin with the planner settings that the queue's statements are made for: not those of a pool of the user's. */
  readonly isSetUp: boolean;
  /** Commands that give a caller's own SQL the planner's usual settings back; empty when they were not changed. */
  readonly userPlanning: string;
  /** How the pool connects, for connections beside it. The password may not be enumerable. */
  readonly clientConfig: ClientConfig;
  readonly telemetry: Telemetry | undefined;
  /** To look at; the database lends its clients. */
  readonly pool: Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount' | 'options'>;
}

const outOfSharedMemory = '53200';

/** For how long claims that met each other are kept further apart, in milliseconds. */
const contendedForMs = 10_000;

/** For how long claims go without predicate locks once there was no room for them, in milliseconds. */
const spareForMs = 10_000;

const noPredicateLocks =
  'the server has no room for more predicate locks, so claims go without: end the serializable transaction that stays open, or raise max_pred_locks_per_transaction';

/** The schema of a bucket. */
export function bucketSchema(catalogSchema: string, number: number): string {
  return `${catalogSchema}_bucket_${number}`;
}

/** What all objects of one connection share. */
export class Backend {
  /** Its own, among all processes. */
  readonly id = randomUUID();
  readonly database: Database;
  readonly random: () => number;
  readonly schema: string;
  readonly bucketCount: number;
  readonly isSetUp: boolean;
  readonly userPlanning: string;
  readonly clientConfig: ClientConfig;
  readonly telemetry: Telemetry | undefined;
  readonly pool: BackendOptions['pool'];
  /** Hears the notifications of all buckets. */
  readonly listener: Listener;
  /** Iterators, such as generators, whose units were added in a caller's transaction. */
  readonly spentIterators = new WeakSet();
  readonly #closing = new AbortController();
  readonly #clock: Clock;
  readonly #catalog: StatementSet;
  readonly #buckets = new Map<number, Bucket>();

  constructor(database: Database, { clock, random, schema, bucketCount, isSetUp, userPlanning, clientConfig, telemetry, pool }: BackendOptions) {
    this.database = database;
    this.random = random;
    this.schema = schema;
    this.bucketCount = bucketCount;
    this.isSetUp = isSetUp;
    this.userPlanning = userPlanning;
    this.clientConfig = clientConfig;
    this.telemetry = telemetry;
    this.pool = pool;
    this.listener = new Listener({ config: clientConfig, logger: database.logger, random: Math.random });
    this.#clock = clock;
    this.#catalog = new StatementSet(schema, schema);
  }

  /** The time as a statement's parameter; null: the statement reads the database's clock. */
  now(): string | null {
    return this.#clock.now()?.toISOString() ?? null;
  }

  /** Runs a statement on the catalog. */
  run(statement: Statement, values: readonly unknown[] = [], on: Executor = this.database): Promise<readonly Row[]> {
    return on.run(this.#catalog.prepare(statement), values);
  }

  /** A statement on the catalog as a step of a transaction. */
  step(statement: Statement, values: readonly unknown[]): TransactionStep {
    return [this.#catalog.prepare(statement), values];
  }

  bucket(number: number): Bucket {
    let bucket = this.#buckets.get(number);
    if (bucket === undefined) {
      bucket = new Bucket(this, number);
      this.#buckets.set(number, bucket);
    }
    return bucket;
  }

  /** Fires, with Closed as its reason, when the connection is closed. */
  get closing(): AbortSignal {
    return this.#closing.signal;
  }

  /** Closes the connections once what is under way, such as the folding of counts and the waking of waiters, has ended. */
  async close(): Promise<void> {
    const buckets = [...this.#buckets.values()];
    const closed = Promise.all([this.database.close(), this.listener.close(), ...buckets.map((bucket) => bucket.stop())]);
    this.#closing.abort(new ClosedError());
    await closed;
  }

  /** What runs the statements of an operation: the caller's transaction, if one was given. */
  executor(options: TransactionOptions | undefined, field: string): Executor {
    const client = options?.client;
    if (client === undefined) return this.database;
    if (typeof client?.query !== 'function') {
      throw new InvalidArgumentError(`${field}.client`, 'must have a query(text, values) method');
    }
    return this.database.joining(client);
  }
}

/** One set of the queue's tables. */
export class Bucket {
  readonly backend: Backend;
  readonly number: number;
  readonly schema: string;
  /** Keeps the counts behind summaries short. */
  readonly counts: BackgroundTask;
  /** Keeps what has been claimed out of the way of what will be. */
  readonly rotation: ReadyRotation;
  /** Where claims can begin. */
  readonly fronts = new SealedFronts();
  /** Since when leases can have to expire and delays can have passed. */
  readonly horizon = new DueHorizon();
  /** The specs of requests that name a single one. */
  readonly directClaims = new DirectClaims();
  /** What somebody may wait for who sleeps. */
  readonly awaitedEnds = new AwaitedEnds();
  /** The greatest attempt number this process has seen. */
  newestNumber = 0;
  /** What there was to choose from a moment ago, in namespaces with many specs. */
  readonly candidates = new CandidateCache();
  /** Where the names of units to add are likely to be new. */
  readonly names = new NameMemory();
  /** Where adding is likely to wake others. */
  readonly wakes = new RecentWakes();
  readonly reservedIds = new ReservedUnitIds();
  /** Reserves the first of them. */
  readonly reservations: BackgroundTask;
  /** Puts units that are added one by one at the same time into one statement. */
  readonly adds = new AddQueue(this);
  /** Puts reports that are made one by one at the same time into one statement. */
  readonly ends: EndQueue;
  /** Ranges of leases that nobody may be left in. */
  readonly leftRanges: LeftRanges;
  /** Workers of this process that sleep, and can be given what is added. */
  readonly idleWorkers = new IdleWorkers();
  /** Where few units are to be had. */
  readonly lastClaims = new LastClaims();
  /** The same for attempts that are looked up one by one. */
  readonly finder: AttemptFinder;
  /** When this process last recorded that work of a runtime was asked for, see recordRuntimes(). */
  readonly runtimesRecorded = new Map<string, number>();
  /** What others do to attempts. */
  readonly watching = new Watching(this);
  /** What becomes of units that somebody waits for. */
  readonly outcomes = new OutcomeAwaiter(this);
  /** Until when claims are taken to meet each other, by performance.now(). */
  #contendedUntil = Number.NEGATIVE_INFINITY;
  /** Until when the server is taken to have no room for predicate locks, by performance.now(). */
  #sparesPredicateLocksUntil = Number.NEGATIVE_INFINITY;
  readonly #statements: StatementSet;

  constructor(backend: Backend, number: number) {
    this.backend = backend;
    this.number = number;
    this.schema = bucketSchema(backend.schema, number);
    this.#statements = new StatementSet(this.schema, backend.schema);
    const { logger } = backend.database;
    this.counts = new BackgroundTask({
      failure: 'counts could not be folded',
      every: 500,
      run: () => this.run(foldCounts, [foldLimit]),
      logger,
    });
    this.reservations = new BackgroundTask({ failure: 'ids of units could not be reserved', every: 1, run: () => reserveUnitIds(this), logger });
    this.rotation = new ReadyRotation(this);
    this.ends = new EndQueue(this);
    this.leftRanges = new LeftRanges(this);
    this.finder = new AttemptFinder(this);
  }

  /**
   * Whether one of this process's claims was aborted lately. Mostly it has met another one behind the gate: at the page of an index of when leases end that was read by
   * the one, to see whether anything is due, and written by the other. So while this is so, who claims is to look for what is due beforehand, in a statement of its own.
   */
  get isContended(): boolean {
    return performance.now() < this.#contendedUntil;
  }

  /** Waits for the housekeeping under way; there will be no other. */
  async stop(): Promise<void> {
    this.watching.close();
    this.outcomes.close();
    await Promise.all([this.counts.stop(), this.reservations.stop(), this.rotation.stop(), this.leftRanges.stop()]);
  }

  /** A statement on the bucket's tables, to be run with others. */
  step(statement: Statement, values: readonly unknown[] = []): StatementStep {
    return [this.#statements.prepare(statement), values];
  }

  /** Runs a statement, by default in a transaction of its own. */
  run(
    statement: Statement,
    values: readonly unknown[] = [],
    on: Executor = this.backend.database,
  ): Promise<readonly Row[]> {
    return on.run(this.#statements.prepare(statement), values);
  }

  /** Runs a statement that looks at units or attempts: what is overdue expires first. One round trip. */
  async look(statement: Statement, values: readonly unknown[] = []): Promise<readonly Row[]> {
    for (;;) {
      const now = this.backend.now();
      const since = this.horizon.since(now);
      const [expired, rows] = await this.backend.database.runInOneTrip([
        [this.#statements.prepare(expireDue), [now, expireDueLimit, since]],
        [this.#statements.prepare(statement), values],
      ]);
      const count = Number(expired?.[0]?.expired);
      if (count > 0) this.backend.telemetry?.onExpired?.(count);
      if (count > 0) this.candidates.forgetAll();
      if (count < expireDueLimit) return rows ?? [];
    }
  }

  /**
   * Runs a statement in a serializable transaction that passes through the claim gate.
   *
   * LOCK TABLE is the only lock that PostgreSQL takes without a snapshot, so the transaction's snapshot is fixed after the last one
   * that held the gate has committed: it cannot collide with it. The gate opens by itself when the transaction ends, however it
   * ends; no session state is involved. SHARE UPDATE EXCLUSIVE conflicts with itself, but not with what pg_dump takes.
   *
   * Unless asked to, the commit does not wait for the disk: what a crash loses was a claim, and the units are available again.
   *
   * While a serializable transaction of anybody's stays open, the server keeps the predicate locks of all that have come and gone since, and
   * soon has no room for more. The gate is enough by itself, so the transaction is REPEATABLE READ then.
   */
  async runThroughGate(statement: Statement, values: readonly unknown[], { waitForDisk = false } = {}): Promise<readonly Row[]> {
    const [rows = []] = await this.runThroughGateAndFollow([statement, values], undefined, { waitForDisk });
    return rows;
  }

  /** The same, and with it, behind the commit, another statement; resolves to the rows of both. */
  async runThroughGateAndFollow(
    [statement, values]: readonly [Statement, readonly unknown[]],
    follow: readonly [Statement, readonly unknown[]] | undefined,
    { waitForDisk = false } = {},
  ): Promise<(readonly Row[])[]> {
    const steps: TransactionStep[] = [
      this.#lockGate,
      // Between the lock and the snapshot on purpose: PostgreSQL gives back a transaction's locks a moment before its predicate locks,
      // and whoever is too quick through the gate collides with those. This gives the last one that moment.
      `set local synchronous_commit = ${waitForDisk ? 'on' : 'off'}`,
      [this.#statements.prepare(statement), values],
    ];
    const { database } = this.backend;
    const run = async (isolation: 'serializable' | 'repeatable read'): Promise<(readonly Row[])[]> => {
      const onRetry = (): void => void (this.#contendedUntil = performance.now() + contendedForMs);
      const answers = await database.transactionInOneTrip({ isolation, onRetry }, steps, follow && this.step(...follow));
      return answers.slice(steps.length - 1);
    };
    const now = performance.now();
    if (now < this.#sparesPredicateLocksUntil) return run('repeatable read');
    try {
      return await run('serializable');
    } catch (error) {
      if (sqlState(error) !== outOfSharedMemory) throw error;
      if (now - this.#sparesPredicateLocksUntil > spareForMs) database.logger.warn(noPredicateLocks);
      this.#sparesPredicateLocksUntil = now + spareForMs;
      return run('repeatable read');
    }
  }

  /** As runThroughGate, READ COMMITTED, and never waiting for the disk, for which all claims would wait behind the gate: only for what nobody misses if a crash takes it back. */
  async runBehindGate(statement: Statement, values: readonly unknown[]): Promise<readonly Row[]> {
    const steps = [this.#lockGate, 'set local synchronous_commit = off', this.step(statement, values)];
    const answers = await this.backend.database.transactionInOneTrip({}, steps);
    return answers.at(-1) ?? [];
  }

  /** Runs a statement (after others), then passes through the claim gate: no claim that began before it is still under way afterwards. */
  async runAndPassGate(
    statement: Statement,
    values: readonly unknown[],
    ...before: TransactionStep[]
  ): Promise<readonly Row[]> {
    const answers = await this.backend.database.transactionInOneTrip({}, [
      ...before,
      [this.#statements.prepare(statement), values],
      this.#lockGate,
    ]);
    return answers[before.length] ?? [];
  }

  get #lockGate(): string {
    return `lock table "${this.schema.replaceAll('"', '""')}".claim_gate in share update exclusive mode`;
  }
}
