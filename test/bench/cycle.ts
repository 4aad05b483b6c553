import type { Attempt, Namespace, PostgresCoordinate, WorkSpec } from 'pg-coordinate';
import { measure, unitsOf, type Figure } from './measure.js';

/** The life of units in three phases. */
export interface CycleFigures {
  readonly add: Figure;
  readonly claim: Figure;
  readonly finish: Figure;
}

/** Adds, claims and finishes so many units, in batches, on so many connections. */
export async function measureCycle(
  coordinate: PostgresCoordinate,
  namespace: Namespace,
  spec: WorkSpec,
  { units, batch, connections, prefix }: { units: number; batch: number; connections: number; prefix: string },
): Promise<CycleFigures> {
  let added = 0;
  const add = await measure(coordinate, connections, async () => {
    if (added >= units) return 0;
    const from = added;
    added += batch;
    await spec.addWorkUnits(unitsOf(prefix, from, batch));
    return batch;
  });
  const { claim, held } = await measureClaims(coordinate, namespace, spec, { units, batch, connections });
  const finish = await measure(coordinate, connections, async (loop) => {
    const attempts = held[loop]?.pop();
    if (attempts === undefined) return 0;
    const verdicts = await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    const refused = verdicts.find(({ error }) => error !== null);
    if (refused !== undefined) throw new Error(`a finish was refused: ${String(refused.error)}`);
    return attempts.length;
  });
  return { add, claim, finish };
}

/** Claims so many units, of one spec by name or of whatever the scheduler chooses; hands out the attempts of each loop, by claim. */
export async function measureClaims(
  coordinate: PostgresCoordinate,
  namespace: Namespace,
  spec: WorkSpec,
  { units, batch, connections, named = true }: { units: number; batch: number; connections: number; named?: boolean },
): Promise<{ claim: Figure; held: Attempt[][][] }> {
  const workers = await Promise.all(Array.from({ length: connections }, (_, loop) => namespace.worker(`worker ${loop}`)));
  const held: Attempt[][][] = workers.map(() => []);
  let left = units;
  const claim = await measure(coordinate, connections, async (loop) => {
    if (left <= 0) return 0;
    left -= batch;
    const request = { numberOfWorkUnits: batch, ...(named && { workSpecs: [spec.name] }) };
    const attempts = (await workers[loop]?.requestAttempts(request)) ?? [];
    held[loop]?.push(attempts);
    return attempts.length;
  });
  return { claim, held };
}
