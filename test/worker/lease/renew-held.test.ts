import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { PostgresNamespace } from '../../../src/core/namespace/postgres-namespace.js';
import { renewHeld } from '../../../src/worker/lease/renew-held.js';
import {
  canExplain,
  explainedConnection,
  labelOf,
  readIndexes,
  rowsHandled,
  scansOf,
  type ExplainedConnection,
  type PoolKind,
} from '../../core/plans/explained.js';
import { stopAutovacuum, vacuumAnalyze } from '../../core/plans/fill.js';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
const names = { namespace: 'plan', spec: 'spec' };
/** How many are renewed at once here, of how many that are leased. */
const renewed = 100;
const leased = 5_000;
let attempts: { unitId: number; number: number }[];

// In ranges of leases, and with a lease for each.
const claims = [
  { atOnce: 1_000, index: 'lease_range (first_number)' },
  { atOnce: 15, index: 'lease (spec_id, unit_id)' },
];

describe.runIf(await canExplain(database)).each(claims)('a renewal costs in proportion to what is renewed, of units claimed $atOnce at once', ({ atOnce, index }) => {
  beforeAll(async () => {
    const namespace = await (await database.connect()).namespace(names.namespace);
    const spec = await namespace.setWorkSpec({ name: names.spec });
    await stopAutovacuum(database);
    await spec.addWorkUnits(Array.from({ length: 20_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
    const worker = await namespace.worker('holder');
    for (let count = 0; count < leased; count += atOnce) await worker.requestAttempts({ numberOfWorkUnits: atOnce, lifetimeMs: 3_600_000 });
    const rows = await database.query<{ unit: string; number: string }>(
      `select unit_id as unit, number from ${database.bucket}.any_lease order by number desc limit ${renewed}`,
    );
    attempts = rows.map(({ unit, number }) => ({ unitId: Number(unit), number: Number(number) }));
  });

  describe('right after a bulk load', () => bounded('our own pool', index));
  describe('with fresh statistics', () => {
    beforeAll(() => vacuumAnalyze(database));
    bounded('our own pool', index);
    bounded("a pool of the user's", index);
  });
});

function bounded(kind: PoolKind, index: string): void {
  describe(`on ${kind}`, () => {
    let connection: ExplainedConnection;
    beforeAll(async () => {
      connection = await explainedConnection(database, names, kind);
    });
    afterAll(() => connection.close());

    test('by index', async () => {
      // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- an interface, of which it is the implementation
      const { bucket } = connection.namespace as PostgresNamespace;
      const values = [attempts.map(({ unitId }) => unitId), attempts.map(({ number }) => number), 3_600_000];
      let rows: unknown;
      const statements = await connection.explain(async () => (rows = await bucket.run(renewHeld, values)));
      const statement = statements.find((each) => labelOf(each) === renewHeld.label)!;
      expect(rows).toHaveLength(2 * renewed);
      // Each goes through about twenty nodes of the plan. A user's session may find that so few leases are read sooner in a row.
      const inARow = kind === 'our own pool' ? 0 : leased;
      expect(rowsHandled(statement), scansOf(statement).join('\n')).toBeLessThan(30 * renewed + 2 * inARow);
      const indexes = await readIndexes(database);
      const used = statement.nodes.map((node) => indexes.get(node['Index Name'] ?? ''));
      expect(used).toEqual(expect.arrayContaining(['work_unit (id)', ...(inARow === 0 || !index.startsWith('lease_range') ? [index] : [])]));
    });
  });
}
