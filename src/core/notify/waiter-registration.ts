import { statement, type Row, type StatementStep } from '../../database/index.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { removeStale } from './remove-stale.js';

/**
 * Says that a listener waits for work; removes the row it had under its last name. Index: the primary key.
 * Parameters: namespace id, listener, its last name or null.
 */
const registerWaiter = statement(
  'notify.register-waiter',
  (s) => `
    with old as (
      delete from ${s}.waiter where namespace_id = $1::bigint and listener = $3::text
    )
    insert into ${s}.waiter (namespace_id, listener, waiting, since)
    values ($1::bigint, $2::text, true, statement_timestamp())
    on conflict (namespace_id, listener) do update set waiting = true, since = excluded.since`,
);

/** Parameters: namespace id, listeners. */
const removeWaiters = statement(
  'notify.remove-waiters',
  (s) => `delete from ${s}.waiter where namespace_id = $1::bigint and listener = any($2::text[])`,
);


/**
 * When the next thing falls due in the bucket, in milliseconds from now; null: nothing is to. A lease is overdue only after its
 * end. Of continuous specs: the first hundred of the namespace, so that many cost no more.
 * Indexes: delayed_due, lease_due, lease_range_due, one entry each; work_spec_continuous. Parameters: now, namespace id, since when
 * something can be due.
 */
const readNextDue = statement(
  'notify.next-due',
  (s) => `
    select ceil(1000 * extract(epoch from least(
      (select not_before from ${s}.delayed where not_before >= coalesce($3::timestamptz, '-infinity') order by not_before limit 1),
      (
        select expires_at + interval '1 millisecond' from ${s}.lease
        where expires_at >= coalesce($3::timestamptz, '-infinity') order by expires_at limit 1
      ),
      (
        select expires_at + interval '1 millisecond' from ${s}.lease_range
        where expires_at >= coalesce($3::timestamptz, '-infinity') order by expires_at limit 1
      ),
      (
        select min(next_continuous) from (
          select next_continuous, paused from ${s}.work_spec
          where continuous and id >= $2::bigint * 16777216 and id < ($2::bigint + 1) * 16777216
          order by id limit 100
        ) continuous
        where not paused and next_continuous > coalesce($1::timestamptz, statement_timestamp())
      )
    ) - coalesce($1::timestamptz, statement_timestamp()))) as due_in_ms`,
);

/** How often a listener changes its name: under one name pile up, while somebody holds a snapshot, all rows it ever had. */
const renameEveryMs = 60_000;

const sweepEveryMs = 600_000;

/** Tells apart those of one connection that wait. */
let registrations = 0;

/** The row that says that somebody waits for work in a namespace. */
export class WaiterRegistration {
  readonly #namespace: PostgresNamespace;
  readonly #number = ++registrations;
  #name = '';
  #lastName: string | null = null;
  #renamedAt = Number.NEGATIVE_INFINITY;
  #sweptAt = Number.NEGATIVE_INFINITY;
  #confirmedAt: number | undefined;

  constructor(namespace: PostgresNamespace) {
    this.#namespace = namespace;
  }

  /** How long ago it was last said that somebody waits, in milliseconds; undefined: never. */
  get ageMs(): number | undefined {
    return this.#confirmedAt === undefined ? undefined : performance.now() - this.#confirmedAt;
  }

  /** Registers; resolves to the milliseconds until something falls due in the bucket, null if nothing is to, and to the rows of a statement sent behind that. */
  async register(behind?: StatementStep): Promise<{ readonly dueMs: number | null; readonly rows: readonly Row[] | undefined }> {
    const { bucket, id } = this.#namespace;
    const began = performance.now();
    if (began - this.#renamedAt >= renameEveryMs) {
      this.#lastName = this.#name === '' ? null : this.#name;
      // Begins with the connection's id: by that wake.ts tells its own from those that only the server can reach.
      this.#name = `${bucket.backend.id} ${this.#number} ${Math.round(began)}`;
      this.#renamedAt = began;
    }
    // A statement of its own: what is added after its commit wakes us, what was added before it is seen by those behind it.
    const [, due, rows] = await bucket.backend.database.runInOneTrip([
      bucket.step(registerWaiter, [id, this.#name, this.#lastName]),
      bucket.step(readNextDue, this.#values()),
      ...(behind === undefined ? [] : [behind]),
    ]);
    this.#confirmedAt = began;
    this.#lastName = null;
    if (began - this.#sweptAt >= sweepEveryMs) {
      this.#sweptAt = began;
      // What it leaves counts for nothing.
      await bucket.run(removeStale).catch(() => undefined);
    }
    return { dueMs: dueInMs(due), rows };
  }

  /** The same without registering. */
  async readNextDue(): Promise<number | null> {
    return dueInMs(await this.#namespace.bucket.run(readNextDue, this.#values()));
  }

  #values(): readonly unknown[] {
    const { bucket, id } = this.#namespace;
    const now = bucket.backend.now();
    return [now, id, bucket.horizon.since(now)];
  }

  /** Says again that somebody waits. Does not look for what was added before. */
  async confirm(): Promise<void> {
    const { bucket, id } = this.#namespace;
    const began = performance.now();
    await bucket.run(registerWaiter, [id, this.#name, null]);
    this.#confirmedAt = began;
  }

  async remove(): Promise<void> {
    if (this.#confirmedAt === undefined) return;
    const { bucket, id } = this.#namespace;
    await bucket.run(removeWaiters, [id, [this.#name, this.#lastName].filter((name) => name !== null)]);
  }
}

function dueInMs(rows: readonly Row[] = []): number | null {
  const due = rows[0]?.due_in_ms ?? null;
  return due === null ? null : Math.max(0, Number(due));
}
