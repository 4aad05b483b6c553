import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import type { PostgresCoordinate } from 'pg-coordinate';
import { judge, type Judgement } from '../../rest/crowd/judge.js';
import { produce } from '../../rest/crowd/produce.js';
import type { WorkersResult, WorkersSettings } from '../../rest/crowd/waiting-workers.js';
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
  /** Requests that a killed server did not answer. */
  readonly unanswered: number;
  readonly kills: number;
}

const processesPerServer = 2;

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
  const killing = new AbortController();
  const killer = killInTurns(servers, start, options.killEveryMs, killing.signal);
  const began = performance.now();
  const produced = await produce({ ...place, urls, producers: options.producers, units: options.units, perSecond: options.perSecond });
  while (((await spec.countWorkUnitStatus()).finished ?? 0) < options.units) await wait(20);
  const seconds = (performance.now() - began) / 1_000;
  killing.abort();
  const kills = await killer;
  const results = await Promise.all(children.map(stopWorkers));
  await Promise.all(servers.map((server) => server.stop()));
  const record = new pg.Pool({ connectionString: tables.url });
  try {
    const query = async <Row extends object>(text: string, values?: unknown[]): Promise<Row[]> => (await record.query(text, values)).rows as Row[];
    return {
      ...(await judge({ bucket: `${tables.schema}_bucket_1`, query }, place.workSpec, produced.units, results)),
      claimsPerSecond: options.units / seconds,
      latencies: results.flatMap(({ handed }) => handed.map(({ latencyMs }) => latencyMs)).sort((a, b) => a - b),
      unanswered: results.reduce((sum, { unanswered }) => sum + unanswered, produced.unanswered),
      kills,
    };
  } finally {
    await record.end();
  }
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
