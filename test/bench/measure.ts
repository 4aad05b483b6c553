import { clientCpuSeconds, serverCpuSeconds } from './cpu.js';
import type { PostgresCoordinate, TransactionStatistics, WorkSpec } from 'pg-coordinate';

/** What one measurement came to. */
export interface Figure {
  readonly unitsPerSecond: number;
  /** Tries that ended in 40001 or 40P01, as a share of the transactions. */
  readonly abortRate: number;
  /** CPU microseconds of the server per unit. */
  readonly serverMicros: number;
  /** CPU microseconds of this process per unit. */
  readonly clientMicros: number;
}

/** Runs `work` on so many loops at once until it answers 0; resolves to units per second and the abort rate meanwhile. */
export async function measure(
  coordinate: PostgresCoordinate,
  loops: number,
  work: (loop: number) => Promise<number>,
): Promise<Figure> {
  const before = coordinate.statistics;
  const [server, client, start] = [await serverCpuSeconds(), clientCpuSeconds(), performance.now()];
  let units = 0;
  await Promise.all(
    Array.from({ length: loops }, async (_, loop) => {
      for (;;) {
        const done = await work(loop);
        if (done === 0) return;
        units += done;
      }
    }),
  );
  const seconds = (performance.now() - start) / 1000;
  return {
    unitsPerSecond: units / seconds,
    abortRate: abortRate(before, coordinate.statistics),
    clientMicros: ((clientCpuSeconds() - client) / units) * 1e6,
    serverMicros: (((await serverCpuSeconds()) - server) / units) * 1e6,
  };
}

function abortRate(before: TransactionStatistics, after: TransactionStatistics): number {
  const aborted =
    after.serializationFailures + after.deadlocks - before.serializationFailures - before.deadlocks;
  const committed = after.committed - before.committed;
  return committed + aborted === 0 ? 0 : aborted / (committed + aborted);
}

/** Adds units of about 60 bytes of data each, in batches; `prefix` keeps the names of several calls apart. */
export async function fill(spec: WorkSpec, count: number, prefix = 'unit'): Promise<void> {
  const batch = 5_000;
  const batches = Array.from({ length: Math.ceil(count / batch) }, (_, index) => index * batch);
  const adders = Array.from({ length: 4 }, async () => {
    for (let from = batches.pop(); from !== undefined; from = batches.pop()) {
      await spec.addWorkUnits(unitsOf(prefix, from, Math.min(batch, count - from)));
    }
  });
  await Promise.all(adders);
}

/** Units with names in no particular order of time, as they come in life. */
export function unitsOf(prefix: string, from: number, count: number): { name: string; data: { path: string; size: number } }[] {
  return Array.from({ length: count }, (_, index) => {
    const number = from + index;
    return { name: nameOf(prefix, number), data: { path: `/files/${number}.txt`, size: number } };
  });
}

/** Names do not sort as their numbers do. */
export function nameOf(prefix: string, number: number): string {
  return `${prefix}-${String((number * 7_919) % 10_000_019).padStart(8, '0')}-${number}`;
}

/** The one in the middle; of an even number, what is half-way between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? at(middle) : (at(middle - 1) + at(middle)) / 2;
}
