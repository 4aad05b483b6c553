import type { PostgresCoordinate } from 'pg-coordinate';
import type { ServedTables } from '../../support/serve-process.js';
import { median } from '../measure.js';
import type { BenchOptions } from '../options.js';
import { printTable } from '../table.js';
import { measureCrowd, type CrowdFigures } from './crowd.js';
import { measureThroughput, type ThroughputFigure } from './throughput.js';

/** Runs something with fresh tables. */
export type WithTables = <T>(use: (coordinate: PostgresCoordinate, tables: ServedTables) => Promise<T>) => Promise<T>;

/** Requests of each kind before those that are measured: a daemon that people use has answered more. */
const warmUpRequests = 5_000;

/** What one server does over HTTP. */
export async function benchHttp({ repeats, httpUnits: units, profile }: BenchOptions, withTables: WithTables): Promise<unknown> {
  const runs: ThroughputFigure[][] = [];
  for (let repeat = 0; repeat < repeats; repeat++) {
    runs.push(await withTables((coordinate, tables) => measureThroughput(coordinate, tables, { units, warmUpRequests, batchedAtOnce: 4, singleAtOnce: 32, profile })));
  }
  const rows = (runs[0] ?? []).map(({ name }, index) => ({
    name,
    unitsPerSecond: median(runs.map((run) => run[index]?.unitsPerSecond ?? Number.NaN)),
    serverMicros: median(runs.map((run) => run[index]?.serverMicros ?? Number.NaN)),
    clientMicros: median(runs.map((run) => run[index]?.clientMicros ?? Number.NaN)),
  }));
  printTable(
    `Over HTTP, one server, after ${warmUpRequests} requests of each kind`,
    ['', 'units per second', 'CPU of the server per unit, µs', 'of the client'],
    rows.map(({ name, unitsPerSecond, serverMicros, clientMicros }) => [name, unitsPerSecond, serverMicros, clientMicros]),
  );
  return rows;
}

/** A crowd of workers that wait over HTTP at two servers. */
export async function benchCrowd({ crowd: { workers, units, perSecond, killEveryMs }, profile }: BenchOptions, withTables: WithTables): Promise<unknown> {
  const rows: { readonly name: string; readonly figures: CrowdFigures }[] = [];
  const killed = `the same, a server killed and started again every ${killEveryMs / 1_000} s`;
  const conditions = [
    { name: 'as fast as they add', perSecond: 0, killEveryMs: undefined },
    { name: killed, perSecond: 0, killEveryMs },
    { name: `${perSecond} added a second`, perSecond, killEveryMs: undefined },
    { name: killed, perSecond, killEveryMs },
  ];
  for (const { name, ...condition } of conditions) {
    const options = { workers, units, producers: 10, lifetimeMs: 3_000, profile, ...condition };
    rows.push({ name, figures: await withTables((coordinate, tables) => measureCrowd(coordinate, tables, options)) });
    // Each as it comes: the last may take minutes.
    printTable(
      `${workers} workers wait over HTTP at two servers, 10 producers add ${units} units one by one; from add to worker, ms`,
      ['', 'claims per second', 'p50', 'p99', 'most', 'p99 of units that met no kill', 'kills', 'requests not answered', 'lost', 'held twice', 'finished twice', 'errors'],
      rows.map(rowOf),
    );
  }
  return rows.map(({ name, figures }) => ({ name, ...figures, latencies: undefined, undisturbed: undefined }));
}

function rowOf({ name, figures }: { readonly name: string; readonly figures: CrowdFigures }): (string | number)[] {
  const { latencies, undisturbed, lost, heldTwice, finishedTwice, givenTwice, errors, claimsPerSecond, kills, unanswered } = figures;
  const at = (share: number, of = latencies): string => (of[Math.floor((of.length - 1) * share)] ?? Number.NaN).toFixed(1);
  const twice = heldTwice.length + givenTwice.length;
  return [name, claimsPerSecond, at(0.5), at(0.99), at(1), at(0.99, undisturbed), kills, unanswered, lost.length, twice, finishedTwice.length, errors.join('; ') || 'none'];
}
