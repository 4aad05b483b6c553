import type { PoolClient } from 'pg';
import { ClosedError } from '../errors/index.js';
import type { DatabaseOptions } from './database-options.js';
import { borrow, commit, corked, giveBack, isIdle, rollBack, untilAborted } from './lent-client.js';
import { LastClients } from './last-clients.js';
import type { Logger } from './logger.js';
import { mergeTasks } from './merge-tasks.js';
import { OwnErrors } from './own-errors.js';
import { Retrier, type TransactionStatistics } from './retry.js';
import type { PreparedStatement } from './statement.js';
import type {
  AfterCommit,
  Executor,
  ForeignClient,
  OneTripSettings,
  Row,
  StatementStep,
  Transaction,
  TransactionSettings,
  TransactionStep,
} from './transaction.js';
import { isConnectionLoss, translateConnectError, translateConnectionLoss, translateError } from './translate-error.js';

interface UseOptions {
  readonly signal?: AbortSignal | undefined;
  /** The statement, of those to be run, that it takes longest to plan. */
  readonly mainly?: PreparedStatement | undefined;
}

/** The connection to PostgreSQL: runs statements, and is the one place that begins transactions. */
export class Database implements Executor {
  readonly #options: DatabaseOptions;
  readonly #retrier: Retrier;
  readonly #own = new OwnErrors();
  /** What is to be done after the commit of transactions under way: by the transaction, and by what has joined it. */
  readonly #afterCommit = new WeakMap<object, AfterCommit[]>();
  /** Not of a pool of the user's, nor if each statement is planned anew. */
  readonly #lastClients: LastClients | undefined;
  #savepoints = 0;
  #underWay = 0;
  #isContinuing = false;
  #onceIdle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: DatabaseOptions) {
    this.#options = options;
    this.#lastClients = options.ownsPool && options.prepare ? new LastClients(options.pool) : undefined;
    this.#retrier = new Retrier(options.retry, (error) => this.#own.has(error));
    // An idle connection that breaks is replaced at the next use; without a listener Node would end the process.
    options.pool.on('error', this.#onClientError);
  }

  get logger(): Logger {
    return this.#options.logger;
  }

  get statistics(): TransactionStatistics {
    return this.#retrier.statistics;
  }

  /** Runs one statement in a transaction of its own, and again if it collides with others. */
  async run(statement: PreparedStatement, values: readonly unknown[] = []): Promise<readonly Row[]> {
    return this.#retrying({ mainly: statement }, (client) => this.#send(client, statement, values));
  }

  /** Runs statements one after another, each in a transaction of its own, sent at once; resolves to the rows of each. */
  async runInOneTrip(steps: readonly StatementStep[]): Promise<(readonly Row[])[]> {
    return this.#retrying({ mainly: steps.at(-1)?.[0] }, async (client) => {
      const answers: (readonly Row[])[] = [];
      if (!this.#options.pipeline) {
        for (const [statement, values] of steps) answers.push(await this.#send(client, statement, values));
        return answers;
      }
      const settled = await Promise.allSettled(steps.map(([statement, values]) => this.#send(client, statement, values)));
      for (const step of settled) {
        if (step.status === 'rejected') throw step.reason;
        answers.push(step.value);
      }
      return answers;
    });
  }

  /**
   * Runs a statement, and on the same client others that begin once those before are committed: sent at once where clients
   * pipeline. What becomes of the others changes nothing about the first; their rows are undefined if they failed.
   */
  async runAndFollow(first: StatementStep, ...others: readonly StatementStep[]): Promise<[readonly Row[], ...(readonly Row[] | undefined)[]]> {
    return this.#retrying({ mainly: first[0] }, async (client) => {
      const follow = (step: StatementStep): Promise<readonly Row[] | undefined> => this.#unheeded(() => this.#send(client, ...step));
      if (!this.#options.pipeline) {
        const answer = await this.#send(client, ...first);
        // The client sends them one after another all the same.
        return [answer, ...(await Promise.all(others.map(follow)))];
      }
      const [answer, following] = corked(client, () => [this.#send(client, ...first), Promise.all(others.map(follow))]);
      const [settled] = await Promise.allSettled([answer, following]);
      if (settled.status === 'rejected') throw settled.reason;
      return [settled.value, ...(await following)];
    });
  }

  /** Whether statements are sent without waiting for the answers to those before. */
  get pipelines(): boolean {
    return this.#options.pipeline;
  }

  /**
   * Has something done once the transaction is committed that `on` is, or has joined; not at all if it is rolled back. False:
   * this database has not begun it, and does not know when it is committed.
   */
  afterCommit(on: object, task: AfterCommit): boolean {
    const tasks = this.#afterCommit.get(on);
    tasks?.push(task);
    return tasks !== undefined;
  }

  /** Runs statements on a transaction of the caller's; it is theirs to begin, commit and roll back. */
  joining(client: ForeignClient): Executor {
    const executor: Executor = {
      run: async ({ text }, values = []) => {
        this.checkOpen();
        try {
          return (await client.query(text, [...values])).rows as Row[];
        } catch (error) {
          throw translateError(error, this.#options.schema);
        }
      },
    };
    const tasks = this.#afterCommit.get(client);
    if (tasks !== undefined) this.#afterCommit.set(executor, tasks);
    return executor;
  }

  /**
   * Runs `body` in a transaction, and again if it collides with others: it must have no effects but through the transaction.
   * Anything it throws rolls back and is thrown on.
   */
  async transaction<T>(settings: TransactionSettings, body: (transaction: Transaction) => Promise<T>): Promise<T> {
    const { isolation = 'read committed', signal } = settings;
    signal?.throwIfAborted();
    return this.#retrying({ signal }, async (client) => {
      const tasks: AfterCommit[] = [];
      let result: T;
      await this.#own.of(client.query(`begin isolation level ${isolation}`));
      try {
        result = await body(this.#transactionOn(client, signal, tasks));
        signal?.throwIfAborted();
        await this.#own.of(commit(client));
      } catch (error) {
        await rollBack(client);
        throw error;
      }
      const on: Executor = { run: (statement, values = []) => this.#send(client, statement, values) };
      for (const { run, payloads } of mergeTasks(tasks)) await this.#unheeded(() => run(on, payloads));
      return result;
    });
  }

  /**
   * Runs a transaction whose steps are known beforehand, all sent at once: locks that it takes are given back by the server without
   * waiting for this process again, even if it freezes. `follow` is a statement that begins once the transaction is committed, and cannot undo it:
   * its rows are not among them if it failed. Resolves to the rows of each statement. (Where the pool's clients do not pipeline: step by step.)
   */
  async transactionInOneTrip(
    { isolation = 'read committed', onRetry }: OneTripSettings,
    steps: readonly TransactionStep[],
    follow?: StatementStep,
  ): Promise<(readonly Row[])[]> {
    let tries = 0;
    const mainly = steps.findLast((step) => typeof step !== 'string')?.[0];
    return this.#retrying({ mainly }, async (client) => {
      if (tries++ > 0) onRetry?.();
      const send = async (step: TransactionStep): Promise<readonly Row[]> => {
        if (typeof step !== 'string') return this.#send(client, step[0], step[1]);
        await this.#own.of(client.query(step));
        return [];
      };
      const all = [`begin isolation level ${isolation}`, ...steps];
      const answers: (readonly Row[])[] = [];
      let following: Promise<readonly Row[]> | undefined;
      if (this.#options.pipeline) {
        // In one write: a process that is frozen has sent all of it or nothing.
        const sent = corked(client, () => [...all.map(send), this.#own.of(commit(client)), ...(follow ? [send(follow)] : [])]);
        following = follow && (sent.at(-1) as Promise<readonly Row[]>);
        const settled = await Promise.allSettled(sent);
        for (const step of settled.slice(0, all.length + 1)) {
          if (step.status === 'rejected') throw step.reason;
          if (step.value) answers.push(step.value);
        }
      } else {
        try {
          for (const step of all) answers.push(await send(step));
          await this.#own.of(commit(client));
        } catch (error) {
          await rollBack(client);
          throw error;
        }
        following = follow && send(follow);
      }
      const rows = following && (await this.#unheeded(() => following, 'what follows a transaction has to be tried again'));
      return [...answers.slice(1), ...(rows ? [rows] : [])];
    });
  }

  /** Lends a client of the pool. A client that breaks does not go back. */
  async withClient<T>(use: (client: PoolClient) => Promise<T>): Promise<T> {
    const end = this.begin();
    try {
      return await this.#lend(await this.#connect(), use);
    } finally {
      end();
    }
  }

  /** Counts work as under way, for close() to wait for, until what it returns is called. Raises Closed. */
  begin(): () => void {
    if (!this.#isContinuing) this.checkOpen();
    this.#underWay++;
    return () => {
      this.#underWay--;
      if (this.#underWay === 0) this.#onceIdle?.();
    };
  }

  /** What `trip` sends at once belongs to work that has begun, and goes even if close() was called since. */
  continuing<T>(trip: () => T): T {
    this.#isContinuing = true;
    try {
      return trip();
    } finally {
      this.#isContinuing = false;
    }
  }

  /** Raises Closed once close() was called. */
  checkOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError();
  }

  /** Waits for what is under way, then closes the connections, if they are this database's own. Idempotent. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => (this.#onceIdle = resolve));
    if (this.#options.ownsPool) await this.#options.pool.end();
    else this.#options.pool.off('error', this.#onClientError);
  }

  /** As one piece of work: what has begun before close() is tried again after it, too. */
  async #retrying<T>({ signal, mainly }: UseOptions, use: (client: PoolClient) => Promise<T>): Promise<T> {
    const end = this.begin();
    const lend = async (): Promise<T> => {
      if (mainly !== undefined) this.#lastClients?.prefer(mainly);
      return this.#lend(await this.#connect(signal), use);
    };
    try {
      return await this.#retrier.run(lend, signal);
    } finally {
      end();
    }
  }

  async #lend<T>(client: PoolClient, use: (client: PoolClient) => Promise<T>): Promise<T> {
    let broken = false;
    try {
      return await use(client);
    } catch (error) {
      const isOwn = this.#own.has(error);
      broken = (isOwn && isConnectionLoss(error)) || !isIdle(client);
      throw isOwn ? translateConnectionLoss(error) : error;
    } finally {
      giveBack(client, this.#onClientError, broken);
    }
  }

  async #connect(signal?: AbortSignal): Promise<PoolClient> {
    const connecting = borrow(this.#options.pool, this.#onClientError);
    try {
      return await (signal === undefined ? connecting : untilAborted(connecting, signal, this.#onClientError));
    } catch (error) {
      if (signal?.aborted === true) throw signal.reason;
      throw translateConnectError(error, this.#options.target);
    }
  }

  async #send(
    client: PoolClient,
    statement: PreparedStatement,
    values: readonly unknown[],
  ): Promise<readonly Row[]> {
    const { name, text } = statement;
    this.#lastClients?.ran(statement, client);
    const query = this.#options.prepare ? { name, text, values: [...values] } : { text, values: [...values] };
    try {
      return (await this.#own.of(client.query<Row>(query))).rows;
    } catch (error) {
      // Only what the queue's own statements raise: a caller's SQL in the same transaction has missing tables of its own.
      const translated = translateError(error, this.#options.schema);
      this.#own.add(translated);
      throw translated;
    }
  }

  /** Tells the logger, and nobody else, when it fails. */
  async #unheeded<T>(task: () => Promise<T>, failure = 'others could not be notified'): Promise<T | undefined> {
    try {
      return await task();
    } catch (error) {
      this.logger.warn(`${failure}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  }

  #transactionOn(client: PoolClient, signal: AbortSignal | undefined, tasks: AfterCommit[]): Transaction {
    const transaction: Transaction = {
      client,
      run: async (statement, values = []) => {
        signal?.throwIfAborted();
        return this.#send(client, statement, values);
      },
      query: async (text, values) => {
        signal?.throwIfAborted();
        return this.#own.of(client.query<Row>(text, values));
      },
      nested: async (body) => {
        const savepoint = `pg_coordinate_${++this.#savepoints}`;
        await this.#own.of(client.query(`savepoint ${savepoint}`));
        try {
          const nestedTasks: AfterCommit[] = [];
          const result = await body(this.#transactionOn(client, signal, nestedTasks));
          await this.#own.of(client.query(`release savepoint ${savepoint}`));
          tasks.push(...nestedTasks);
          return result;
        } catch (error) {
          await client.query(`rollback to savepoint ${savepoint}`).catch(() => undefined);
          throw error;
        }
      },
    };
    this.#afterCommit.set(transaction, tasks);
    return transaction;
  }

  readonly #onClientError = (error: Error): void => {
    this.#options.logger.warn(`a connection to PostgreSQL broke: ${error.message}`);
  };
}
