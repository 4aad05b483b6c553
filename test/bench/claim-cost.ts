import { connect, drop, type Namespace, type PostgresCoordinate, type Worker, type WorkSpec } from 'pg-coordinate';
import { fill, median } from './measure.js';
import { runSql } from './run-sql.js';

/** What else there is while units of one spec are claimed. */
export interface Condition {
  readonly name: string;
  readonly prepare: (coordinate: PostgresCoordinate) => Promise<void>;
}

/** What one claim costs under a condition, in milliseconds: the median of all of them. */
export interface ClaimCost {
  readonly condition: string;
  readonly batch: number;
  readonly ms: number;
}

export interface ClaimCostOptions {
  readonly batches: readonly number[];
  /** How often each condition has its turn, with so many claims. */
  readonly turns: number;
  readonly claims: number;
  /** Whether the spec is asked for by name; if not, the scheduler chooses, from specs of lower priority. */
  readonly named: boolean;
}

interface Place {
  readonly condition: Condition;
  readonly coordinate: PostgresCoordinate;
  readonly namespace: Namespace;
  readonly spec: WorkSpec;
  readonly worker: Worker;
}

/**
 * Measures claims under all conditions by turns of a few claims: tables of their own for each stand beside each other, so that a slow moment of
 * the machine meets all of them. What was claimed is finished outside of the time that is taken.
 */
export async function measureClaimCosts(url: string, conditions: readonly Condition[], options: ClaimCostOptions): Promise<ClaimCost[]> {
  const { batches, turns, claims, named } = options;
  const schemas = conditions.map((_, index) => `bench_${index}`);
  const places: Place[] = [];
  try {
    for (const [index, condition] of conditions.entries()) {
      const schema = schemas[index] ?? 'bench';
      await drop(url, { schema });
      const coordinate = await connect(url, { schema, migrate: true, pool: { max: 1 } });
      const namespace = await coordinate.namespace('bench');
      const spec = await namespace.setWorkSpec({ name: 'bench', priority: 1 });
      places.push({ condition, coordinate, namespace, spec, worker: await namespace.worker('bench') });
      await condition.prepare(coordinate);
      const claimed = batches.reduce((sum, batch) => sum + batch * (turns + 1) * claims, 0);
      await fill(spec, Math.max(10_000, 2 * claimed), 'claimed');
    }
    // As autovacuum would, but not in the middle.
    await runSql(url, 'vacuum (analyze)', 'checkpoint');
    const costs: ClaimCost[] = [];
    for (const batch of batches) {
      const times = places.map((): number[] => []);
      for (let turn = 0; turn <= turns; turn++) {
        for (let index = 0; index < places.length; index++) {
          const at = (index + turn) % places.length;
          const taken = await claimSome(places[at] as Place, { batch, claims, named });
          // The first turn is for plans and caches.
          if (turn > 0) times[at]?.push(...taken);
        }
      }
      costs.push(...places.map(({ condition }, index) => ({ condition: condition.name, batch, ms: median(times[index] ?? []) })));
    }
    return costs;
  } finally {
    for (const { coordinate } of places) await coordinate.close();
    for (const schema of schemas) await drop(url, { schema });
  }
}

/** How long each of so many claims took, in milliseconds. */
async function claimSome(
  { namespace, spec, worker }: Place,
  { batch, claims, named }: { batch: number; claims: number; named: boolean },
): Promise<number[]> {
  const times: number[] = [];
  for (let claim = 0; claim < claims; claim++) {
    const start = performance.now();
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: batch, ...(named && { workSpecs: [spec.name] }) });
    times.push(performance.now() - start);
    if (attempts.length !== batch) throw new Error(`${attempts.length} units were claimed, not ${batch}`);
    await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
  }
  return times;
}
