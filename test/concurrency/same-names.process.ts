/* Producers that all add the same names, and others that get in their way. Run by same-names.test.ts. */
import { LostLeaseError, NotPendingError, type PostgresCoordinate, type WorkSpec } from '../../src/index.js';
import { connectTo, type NamespacePlace } from './place.js';
import { serveTasks } from './serve-tasks.js';

interface SpecPlace extends NamespacePlace {
  readonly workSpec: string;
  readonly names: readonly string[];
}

const tasks = {
  /** Adds every name once on a connection for each of the sizes of batches; resolves to the deadlocks met. */
  async add({ batches, ...place }: SpecPlace & { batches: readonly number[] }): Promise<number> {
    return sum(
      batches.map((batch) => onConnection(place, (_coordinate, spec) => addAll(spec, shuffled(place.names), batch))),
    );
  },

  /** Adds, changes and deletes again and again on some connections, and claims on others; resolves to the deadlocks met. */
  async disturb({ rounds, mayDelete, ...place }: SpecPlace & { rounds: number; mayDelete: boolean }): Promise<number> {
    const some = (): string[] => shuffled(place.names).slice(0, Math.ceil(Math.random() * 50));
    const times = async (act: () => Promise<unknown>): Promise<void> => {
      for (let round = 0; round < rounds; round++) await act();
    };
    return sum([
      onConnection(place, (_coordinate, spec) => times(() => addAll(spec, some(), 50))),
      onConnection(place, (_coordinate, spec) => times(() => addAll(spec, some().slice(0, 5), 1))),
      onConnection(place, (_coordinate, spec) => times(() => spec.setWorkUnitPriorities({ names: some() }, Math.random()))),
      onConnection(place, (_coordinate, spec) => times(() => spec.adjustWorkUnitPriorities({ names: some() }, 1))),
      ...(mayDelete ? [onConnection(place, (_coordinate, spec) => times(() => spec.deleteWorkUnits({ names: some() })))] : []),
      onConnection(place, (coordinate) => times(() => claimSome(coordinate, place))),
      onConnection(place, (coordinate) => times(() => claimSome(coordinate, place))),
    ]);
  },
};

export type SameNamesTasks = typeof tasks;

async function onConnection(
  place: SpecPlace,
  act: (coordinate: PostgresCoordinate, spec: WorkSpec) => Promise<void>,
): Promise<number> {
  await using coordinate = await connectTo(place, { pool: { max: 1 } });
  await act(coordinate, await (await coordinate.namespace(place.namespace)).workSpec(place.workSpec));
  return coordinate.statistics.deadlocks;
}

async function addAll(spec: WorkSpec, names: readonly string[], batch: number): Promise<void> {
  for (let start = 0; start < names.length; start += batch) {
    const units = names.slice(start, start + batch).map((name) => ({ name, data: { by: process.pid, random: Math.random() } }));
    if (batch === 1) await spec.addWorkUnit(units[0]!.name, units[0]!.data);
    else await spec.addWorkUnits(units);
  }
}

/** What is claimed may be deleted before it is reported on: that error is the report's answer, not a failure. */
async function claimSome(coordinate: PostgresCoordinate, place: SpecPlace): Promise<void> {
  const namespace = await coordinate.namespace(place.namespace);
  const worker = await namespace.worker(`worker ${process.pid}`);
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: 1 + Math.floor(Math.random() * 30) });
  const half = attempts.slice(0, attempts.length / 2).map((attempt) => ({ attempt }));
  await namespace.finishAll(half);
  for (const attempt of attempts.slice(attempts.length / 2)) {
    await attempt.retry().catch((error: unknown) => {
      const isGone = error instanceof Error && 'code' in error && error.code === 'Gone';
      if (!(isGone || error instanceof NotPendingError || error instanceof LostLeaseError)) throw error;
    });
  }
}

async function sum(counts: readonly Promise<number>[]): Promise<number> {
  return (await Promise.all(counts)).reduce((total, count) => total + count, 0);
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => [Math.random(), item] as const)
    .sort(([a], [b]) => a - b)
    .map(([, item]) => item);
}

serveTasks(tasks);
