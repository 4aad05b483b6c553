import { byteaArray, type Transaction, type TransactionSettings, type TransactionStatistics } from '../database/index.js';
import { checkSchemas } from '../database/migrate/index.js';
import { InvalidArgumentError } from '../errors/index.js';
import { checkName, checkOptions, kindOf } from '../options/index.js';
import type { Backend} from './backend.js';
import { bucketSchema } from './backend.js';
import type { Coordinate, NamespaceQuery } from './coordinate.js';
import { instant, nameFromBytes } from './instant.js';
import { chooseBucket } from './namespace/choose-bucket.js';
import { namespaceKeysOf } from './namespace/namespace-query.js';
import { createNamespace, findNamespace, listNamedNamespaces, listNamespaces } from './namespace/namespace-statements.js';
import { PostgresNamespace } from './namespace/postgres-namespace.js';
import { oldestWaiting, type OldestWaiting } from './summary/oldest-waiting.js';
import { readTime } from './read-time.js';
import { countAllUnits } from './summary/count-all-units.js';
import type { Summary } from './summary/summary.js';

/** What a connection to PostgreSQL is made of at one moment. */
export interface ConnectionState {
  /** Connections of the pool that run something. */
  readonly busy: number;
  readonly idle: number;
  /** Operations that wait for one. */
  readonly waiting: number;
  /** How many connections the pool may have. */
  readonly most: number;
  /** Whether notifications arrive; false too while nobody here wants any. */
  readonly isListening: boolean;
}

/** A queue on PostgreSQL: what `connect('postgres://…')` gives. */
export class PostgresCoordinate implements Coordinate {
  readonly #backend: Backend;

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  /** What the transactions of this connection have met; the share of serialization failures should stay below 1 %. */
  get statistics(): TransactionStatistics {
    return this.#backend.database.statistics;
  }

  /** The schemas of the queue's tables: the catalog's, then the buckets'. */
  get schemas(): readonly string[] {
    const { schema, bucketCount } = this.#backend;
    return [schema, ...Array.from({ length: bucketCount }, (_, index) => bucketSchema(schema, index + 1))];
  }

  async namespace(name: string): Promise<PostgresNamespace> {
    const key = Buffer.from(checkName(name, 'name'));
    for (;;) {
      const [found] = await this.#backend.run(findNamespace, [key]);
      const bucket = chooseBucket(name, this.#backend.bucketCount);
      const row = found ?? (await this.#backend.run(createNamespace, [key, bucket]))[0];
      if (row !== undefined) return this.#namespaceOf(Number(row.id), name, Number(row.bucket));
    }
  }

  async namespaces(query?: NamespaceQuery): Promise<PostgresNamespace[]> {
    const keys = namespaceKeysOf(query);
    const rows = await (keys === undefined ? this.#backend.run(listNamespaces) : this.#backend.run(listNamedNamespaces, [byteaArray(keys)]));
    return rows.map((row) => this.#namespaceOf(Number(row.id), nameFromBytes(row.name), Number(row.bucket)));
  }

  async summarize(): Promise<Summary> {
    const names = new Map((await this.#backend.run(listNamespaces)).map((row) => [Number(row.id), row]));
    const buckets = new Set([...names.values()].map((row) => Number(row.bucket)));
    const rows: Summary[number][] = [];
    for (const number of buckets) {
      rows.push(
        ...(await countAllUnits(this.#backend.bucket(number), [0, Number.MAX_SAFE_INTEGER], (id) => {
          const row = names.get(id);
          return row === undefined ? undefined : nameFromBytes(row.name);
        })),
      );
    }
    return rows.sort((a, b) => Buffer.compare(Buffer.from(a.namespace), Buffer.from(b.namespace)));
  }

  /**
   * Runs `body` in one transaction, and again if it collides with others: hand the transaction as `client` to the operations that
   * are to commit together, and run SQL of your own on it. `body` must have no other effects. What it throws rolls back.
   *
   * @example
   * await coordinate.transaction(async (client) => {
   *   await client.query('insert into orders (id) values ($1)', [id]);
   *   await spec.addWorkUnits([{ name: id, data: {} }], { client });
   * });
   */
  async transaction<T>(body: (client: Transaction) => Promise<T>, settings?: TransactionSettings): Promise<T> {
    const { userPlanning } = this.#backend;
    return this.#backend.database.transaction(checkTransaction(body, settings), async (client) => {
      if (userPlanning !== '') await client.query(userPlanning);
      return body(client);
    });
  }

  async now(): Promise<Date> {
    const [row] = await this.#backend.run(readTime, [this.#backend.now()]);
    return instant(row?.now);
  }

  /**
   * How long a unit of each spec with available units has waited at most, as far as 25 units from either end of the order of claiming
   * tell: among them is what is stuck in front, and what others outrank for ever. By the time of the database.
   */
  async oldestWaiting(): Promise<OldestWaiting[]> {
    const namespaces = await this.#backend.run(listNamespaces);
    const names = new Map(namespaces.map((row) => [Number(row.id), nameFromBytes(row.name)]));
    const oldest: OldestWaiting[] = [];
    for (const number of new Set(namespaces.map((row) => Number(row.bucket)))) {
      oldest.push(...(await oldestWaiting(this.#backend.bucket(number), [0, Number.MAX_SAFE_INTEGER], (id) => names.get(id))));
    }
    return oldest;
  }

  /** The connections of this object's pool, and whether notifications arrive. */
  get connections(): ConnectionState {
    const { pool, listener } = this.#backend;
    const { totalCount, idleCount, waitingCount, options } = pool;
    return { busy: totalCount - idleCount, idle: idleCount, waiting: waitingCount, most: options.max, isListening: listener.connected };
  }

  /** Asks the database whether it is there, with the tables as this version expects them. Raises what `connect()` raises. */
  async checkReady(): Promise<void> {
    const [catalog = '', ...buckets] = this.schemas;
    await this.#backend.database.withClient((client) => checkSchemas(client, { catalog, buckets }));
  }

  async close(): Promise<void> {
    await this.#backend.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #namespaceOf(id: number, name: string, bucket: number): PostgresNamespace {
    return new PostgresNamespace({ coordinate: this, bucket: this.#backend.bucket(bucket), id, name });
  }
}

function checkTransaction(body: unknown, settings: TransactionSettings | undefined): TransactionSettings {
  if (typeof body !== 'function') throw new InvalidArgumentError('body', `must be a function, not ${kindOf(body)}`);
  const checked = checkOptions(settings, 'settings', ['isolation', 'signal']);
  const { isolation, signal } = checked;
  if (isolation !== undefined && isolation !== 'read committed' && isolation !== 'serializable') {
    throw new InvalidArgumentError('settings.isolation', "must be 'read committed' or 'serializable'");
  }
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new InvalidArgumentError('settings.signal', `must be an AbortSignal, not ${kindOf(signal)}`);
  }
  return checked;
}
