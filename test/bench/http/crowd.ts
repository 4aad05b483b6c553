import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { PostgresCoordinate } from 'pg-coordinate';
import { judge, type AttemptRecord, type Judgement } from '../../rest/crowd/judge.js';
import { produce } from '../../rest/crowd/produce.js';
import type { Handed, WorkersResult, WorkersSettings } from '../../rest/crowd/waiting-workers.js';
import { serveProcess, type ServedTables, type ServeProcess } from '../../support/serve-process.js';

const program = fileURLToPath(new URL('crowd-workers.ts', import.meta.url));

export interface CrowdOptions {
  readonly workers: number;
  readonly producers: number;
  readonly units: number;
  /** How many units are added in a second; 0: as many as can be. */
  readonly perSecond: number;
  /** After so long, in milliseconds, one of the two servers is killed and started again, and so on in turns; undefined: never. */
  readonly killEveryMs: number | undefined;
  readonly lifetimeMs: number;
  /** A folder for CPU profiles of the servers; undefined: none. */
  readonly profile: string | undefined;
}

export interface CrowdFigures extends Judgement {
  readonly claimsPerSecond: number;
  /** From when a producer asked to add a unit until a worker had it, in milliseconds, ascending. */
  readonly latencies: readonly number[];
  /** The same of those units that were added and handed out at the first try. */
  readonly undisturbed: readonly number[];
  /** Requests that a killed server did not answer. */
  readonly unanswered: number;
  readonly kills: number;
}

const processesPerServer = 2;

/** Units that are worked off before anything is measured. */
const warmUpUnits = 300;

/** Workers that wait over HTTP at two servers on one database, and producers that add units one by one. */
export async function measureCrowd(coordinate: PostgresCoordinate, tables: ServedTables, options: CrowdOptions): Promise<CrowdFigures> {
  const place = { namespace: 'bench', workSpec: 'crowd' };
  const spec = await (await coordinate.namespace(place.namespace)).setWorkSpec({ name: place.workSpec });
  const start = (restPort: number): Promise<ServeProcess> => serveProcess(tables, { restPort, flags: ['--requests-per-second', '0'], ...(options.profile !== undefined && { nodeFlags: ['--cpu-prof', `--cpu-prof-dir=${options.profile}`] }) });
  const servers = [await start(0), await start(0)];
  const urls = servers.map(({ url }) => url);
  const count = Math.ceil(options.workers / (processesPerServer * servers.length));
  const children = await Promise.all(
    Array.from({ length: processesPerServer * servers.length }, (_, index) =>
      startWorkers({ ...place, url: urls[index % urls.length]!, count, prefix: `process-${index}`, lifetimeMs: options.lifetimeMs }),
    ),
  );
  const finished = async (units: number): Promise<void> => {
    while (((await spec.countWorkUnitStatus()).finished ?? 0) < units) await wait(20);
  };
  const producing = { ...place, urls, producers: options.producers };
  // The thousand who come at once, and the first they are given, are not what lasts.
  const warmUp = await produce({ ...producing, prefix: 'warm-up', units: warmUpUnits, perSecond: 0 });
  await finished(warmUpUnits);
  const killing = new AbortController();
  const killer = killInTurns(servers, start, options.killEveryMs, killing.signal);
  const began = performance.now();
  const produced = await produce({ ...producing, units: options.units, perSecond: options.perSecond });
  await finished(warmUpUnits + options.units);
  const seconds = (performance.now() - began) / 1_000;
  killing.abort();
  const kills = await killer;
  const results = await Promise.all(children.map(stopWorkers));
  await Promise.all(servers.map((server) => server.stop()));
  const handed = results.flatMap((result) => result.handed).filter(({ unit }) => !warmUp.units.includes(unit));
  const record = new pg.Pool({ connectionString: tables.url });
  try {
    const query = async <Row extends object>(text: string, values?: unknown[]): Promise<Row[]> => (await record.query(text, values)).rows as Row[];
    const attempts = { bucket: `${tables.schema}_bucket_1`, query };
    const repeated = await attemptedAgain(attempts);
    return {
      ...(await judge(attempts, place.workSpec, produced.units, results)),
      claimsPerSecond: options.units / seconds,
      latencies: latenciesOf(handed),
      undisturbed: latenciesOf(handed.filter(({ unit, addedAgain }) => !addedAgain && !repeated.has(unit))),
      unanswered: results.reduce((sum, { unanswered }) => sum + unanswered, produced.unanswered),
      kills,
    };
  } finally {
    await record.end();
  }
}

/** Units with more than one attempt: a server was killed that had handed them out. */
async function attemptedAgain({ bucket, query }: AttemptRecord): Promise<ReadonlySet<string>> {
  const rows = await query<{ unit: string }>(
    `select convert_from(u.name, 'UTF8') as unit from ${bucket}.any_attempt a join ${bucket}.work_unit u on u.id = a.unit_id group by u.id having count(*) > 1`,
  );
  return new Set(rows.map(({ unit }) => unit));
}

function latenciesOf(handed: readonly Handed[]): number[] {
  return handed.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b);
}

async function killInTurns(
  servers: ServeProcess[],
  start: (restPort: number) => Promise<ServeProcess>,
  everyMs: number | undefined,
  signal: AbortSignal,
): Promise<number> {
  if (everyMs === undefined) return 0;
  for (let kills = 0; ; kills++) {
    await wait(everyMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return kills;
    const index = kills % servers.length;
    const { url } = servers[index]!;
    await servers[index]!.kill();
    servers[index] = await start(Number(new URL(url).port));
  }
}

async function startWorkers(settings: WorkersSettings): Promise<ChildProcess> {
  const child = fork(program, [JSON.stringify(settings)], { execArgv: ['--import', import.meta.resolve('tsx')] });
  await once(child, 'message');
  return child;
}

async function stopWorkers(child: ChildProcess): Promise<WorkersResult> {
  const told = once(child, 'message');
  child.send('stop');
  return (await told)[0] as WorkersResult;
}
