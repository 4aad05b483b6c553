import type { Attempt, Namespace, NewWorkUnit } from 'pg-coordinate';
import type { TestDatabase } from '../../support/database.js';

/** How much to fill the tables with. */
export interface Load {
  readonly ready: number;
  readonly delayed: number;
  readonly finished: number;
  /** Units that another worker holds, of another spec. */
  readonly leased: number;
  /** Units ready of a spec that limits how many run, and as many that have been. */
  readonly limited: number;
  /** Specs that have no units. */
  readonly idleSpecs: number;
  /** Workers that were deactivated. */
  readonly oldWorkers: number;
  /** Paths of keys that somebody holds. */
  readonly locks: number;
}

const batch = 10_000;

function units(kind: string, count: number, meta?: NewWorkUnit['meta']): NewWorkUnit[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `${kind} ${String(index).padStart(6, '0')}`,
    data: { index },
    ...(meta && { meta }),
  }));
}

/** Fills the tables through the interfaces, as users would. The units that are left ready are of priority 0. */
export async function fill(database: TestDatabase, namespace: Namespace, specName: string, load: Load): Promise<void> {
  const spec = await namespace.workSpec(specName);
  const worker = await namespace.worker('filler');
  const add = async (to: typeof spec, all: NewWorkUnit[]): Promise<void> => {
    for (let at = 0; at < all.length; at += batch) await to.addWorkUnits(all.slice(at, at + batch));
  };
  const claim = async (name: string, count: number, each: (attempts: Attempt[]) => Promise<unknown>): Promise<void> => {
    for (let left = count; left > 0; left -= batch) {
      await each(await worker.requestAttempts({ workSpecs: [name], numberOfWorkUnits: Math.min(left, batch), lifetimeMs: 86_400_000 }));
    }
  };

  await add(spec, units('finished', load.finished, { priority: 2 }));
  await claim(specName, load.finished, (attempts) => namespace.finishAll(attempts.map((attempt) => ({ attempt }))));
  // Nothing of it is ready, so a claim has nothing to do with it.
  const busy = await namespace.setWorkSpec({ name: 'busy' });
  await add(busy, units('leased', load.leased));
  await claim('busy', load.leased, async () => undefined);
  // A row for each, as one of each batch has another priority.
  const ready = units('ready', load.ready);
  for (let at = 0; at < ready.length; at += batch) {
    await spec.addWorkUnits([...ready.slice(at, at + batch), { name: `last ${at}`, data: {}, meta: { priority: -1 } }]);
  }
  // In ranges. Chosen when nothing else is there.
  await add(await namespace.setWorkSpec({ name: 'together', priority: -2 }), units('together', load.ready));
  await add(spec, units('delayed', load.delayed, { notBefore: new Date(Date.now() + 86_400_000) }));
  await namespace.setWorkSpec({ name: 'small' });
  await namespace.setWorkSpec({ name: 'spent', max_retries: 1 });
  // A history of its own, whose traces a count of what is running must not read again.
  const limited = await namespace.setWorkSpec({ name: 'limited', priority: -1 });
  await add(limited, units('limited', 2 * load.limited));
  await claim('limited', load.limited, (attempts) => namespace.finishAll(attempts.map((attempt) => ({ attempt }))));
  await limited.setMeta({ maxRunning: 50 });
  for (let index = 0; index < load.idleSpecs; index++) await namespace.setWorkSpec({ name: `idle ${index}` });
  // One by one this would take minutes; and a worker's row is all there is of it.
  await database.query(
    `insert into ${database.bucket}.worker (namespace_id, name, active, expires_at, updated_at)
    select w.namespace_id, convert_to('old ' || g, 'UTF8'), false, now(), now()
    from ${database.bucket}.worker w, generate_series(1, $1::integer) g where w.name = 'filler'`,
    [load.oldWorkers],
  );
  await database.query(
    `insert into ${database.schema}.path_lock (namespace_id, path, owner, expires_at)
    select n.id, array[convert_to('held ' || g, 'UTF8'), '\\x01'], '\\x6f', now() + interval '1 day'
    from ${database.schema}.namespace n, generate_series(1, $2::integer) g where n.name = convert_to($1, 'UTF8')`,
    [namespace.name, load.locks],
  );
}

/** The tables of the bucket that hold rows, partitions included. */
async function tablesOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ name: string }>(
    `select format('%I.%I', n.nspname, c.relname) as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname in ($1, $2) and c.relkind = 'r'`,
    [database.schema, database.bucket],
  );
  return rows.map(({ name }) => name);
}

/** From now on statistics are made by the test alone. */
export async function stopAutovacuum(database: TestDatabase): Promise<void> {
  for (const table of await tablesOf(database)) await database.query(`alter table ${table} set (autovacuum_enabled = false)`);
}

/** What autovacuum does when it comes by. */
export async function vacuumAnalyze(database: TestDatabase): Promise<void> {
  for (const table of await tablesOf(database)) await database.query(`vacuum (analyze) ${table}`);
}
