import type { Client } from 'pg';
import type { PostgresCoordinate, PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { beforeEach } from 'vitest';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';

export interface Generations {
  readonly open: number;
  readonly closed: number;
  readonly sealed: number;
  /** How many rows each has. */
  readonly rows: Readonly<Record<string, number>>;
}

/** What tests of the generations of the ready units share. Only the open one is there when a test begins. To be called once a file. */
export async function inGenerations() {
  const database = await testDatabase();
  const coordinate: PostgresCoordinate = await database.connect();
  // Claims take steps by themselves, and the first may be due at any of them. This one takes none.
  await (await coordinate.namespace('any')).bucket.rotation.stop();
  const stepper = await database.client();

  let namespace: PostgresNamespace;
  let spec: WorkSpec;

  beforeEach(async () => {
    for (const old of await coordinate.namespaces()) await old.destroy();
    await until('only the open generation is left', async () => {
      await rotate(1_000_000);
      const { closed, sealed } = await generations();
      return closed === 0 && sealed === 0;
    });
    namespace = await coordinate.namespace('generations');
    spec = await namespace.setWorkSpec({ name: 'spec' });
  });

  /** Takes one step in the open transaction of a client, as if the process that takes it had seen nothing before. Resolves to whether there is another to take. */
  async function step(client: Client, closeAfter: number): Promise<boolean> {
    await client.query(`lock table ${database.bucket}.claim_gate in share update exclusive mode`);
    const { rows } = await client.query<{ more: boolean }>(
      `select more from ${database.bucket}.rotate_ready($1, null, null, null, null)`,
      [closeAfter],
    );
    return rows[0]?.more === true;
  }

  /** Takes one step. */
  async function rotate(closeAfter = 0): Promise<boolean> {
    await stepper.query('begin');
    const more = await step(stepper, closeAfter);
    await stepper.query('commit');
    return more;
  }

  /** Goes on until nothing is closed but not sealed or moved yet; other transactions of the server may keep it waiting for a moment. */
  async function settle(): Promise<void> {
    await until('no generation is closed', async () => {
      await rotate(1_000_000);
      return (await generations()).closed === 0;
    });
  }

  /** What is open becomes sealed. */
  async function seal(): Promise<void> {
    await rotate();
    await settle();
  }

  async function generations(): Promise<Generations> {
    const [row] = await database.query<{ open: string; closed: string; sealed: string; rows: Record<string, number> | null }>(`
      select
        (select last_value from ${database.bucket}.ready_open) as open,
        (select last_value from ${database.bucket}.ready_closed) as closed,
        (select last_value from ${database.bucket}.ready_sealed) as sealed,
        (
          select json_object_agg(generation, rows)
          from (select generation, count(*) as rows from ${database.bucket}.ready group by generation) generations
        ) as rows`);
    const { open, closed, sealed, rows } = row!;
    return { open: Number(open), closed: Number(closed), sealed: Number(sealed), rows: rows ?? {} };
  }

  async function add(prefix: string, count: number, priority = 0, to = spec): Promise<void> {
    await to.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `${prefix}${index}`, data: {}, meta: { priority } })));
  }

  /** Resolves to the names of what was claimed. */
  async function claim(count: number, of = namespace, workSpecs: string[] | null = ['spec']): Promise<string[]> {
    const worker = await of.worker('worker');
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: count, ...(workSpecs && { workSpecs }) });
    return attempts.map(({ workUnit }) => workUnit.name);
  }

  /** Anew for each test. */
  const current = (): { namespace: PostgresNamespace; spec: WorkSpec } => ({ namespace, spec });

  return { add, claim, coordinate, current, database, generations, rotate, seal, settle, step };
}
