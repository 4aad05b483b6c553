/** The main job of `npm start`: see README.md, or run it with --help. */
import { randomUUID } from 'node:crypto';
import { connect, type Namespace } from 'pg-coordinate';
import { startEmbeddedPostgres } from 'pg-coordinate/embedded';
import { serveRest } from 'pg-coordinate/rest';
import { accountOf } from './account.js';
import { findFiles } from './find-files.js';
import type { Job } from './flow.js';
import { seeThrough, submit } from './job.js';
import { parseOptions, usage, type Options } from './options.js';
import { Progress } from './progress.js';
import { resultText } from './result-text.js';
import type { Result } from './tally.js';
import { WorkerPool } from './worker-pool.js';

const interrupted = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => interrupted.abort(signal));
// Whoever reads has enough of it: `npm start | head`.
process.stdout.on('error', () => interrupted.abort('SIGPIPE'));
const exitCodes = new Map<unknown, number>([['SIGINT', 130], ['SIGPIPE', 141], ['SIGTERM', 143]]); // as a shell has them

try {
  const options = parseOptions(process.argv.slice(2), process.env);
  if (options.help) console.log(usage);
  else await main(options, new Progress(options.json ? process.stderr : process.stdout));
} catch (error) {
  const { aborted, reason } = interrupted.signal;
  if (!aborted) console.error(`Failed: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = aborted ? (exitCodes.get(reason) ?? 1) : 1;
}

async function main(options: Options, progress: Progress): Promise<void> {
  const { folder, suffixes } = options;
  const files = await findFiles(folder, suffixes);
  progress.say(`${files.length} text files in ${folder}`);
  if (files.length === 0) {
    progress.say('There is nothing to do.');
    return;
  }

  await using database = await openDatabase(progress);
  interrupted.signal.throwIfAborted();
  await using coordinate = await connect(database.url, { schema: options.schema, migrate: true });
  const namespace = await coordinate.namespace(`example ${randomUUID()}`);
  try {
    const job = { folder, files: files.length };
    await submit(namespace, job, files);
    await using server = options.viaHttp ? await serveRest({ coordinate, port: 0, logger: console }) : null;
    if (server !== null) progress.say(`Serving the queue at ${server.url}.`);
    const { result, account } = await work({ namespace, url: server?.url ?? database.url, job }, options, progress);
    console.log(options.json ? JSON.stringify(result) : `\n${resultText(result)}\n\n${account}`);
  } finally {
    if (options.keep) progress.say(`All this is kept in the namespace "${namespace.name}".`);
    else await namespace.destroy();
  }
}

interface OpenDatabase extends AsyncDisposable {
  readonly url: string;
}

async function openDatabase(progress: Progress): Promise<OpenDatabase> {
  const url = process.env.DATABASE_URL;
  if (url) return { url, [Symbol.asyncDispose]: () => Promise.resolve() };
  progress.say('Starting a PostgreSQL of our own …');
  const postgres = await startEmbeddedPostgres();
  progress.say(`PostgreSQL ${postgres.version} is running.`);
  return postgres;
}

interface Given {
  readonly namespace: Namespace;
  readonly url: string;
  readonly job: Job;
}

async function work(
  { namespace, url, job }: Given,
  { schema, workers: number, killOne, leaseMs }: Options,
  progress: Progress,
): Promise<{ result: Result; account: string }> {
  progress.say(`${number} worker processes share the work.`);
  const workers = new WorkerPool({
    url,
    schema,
    namespace,
    job,
    leaseMs,
    workers: number,
    killAfter: killOne ? Math.ceil(job.files / 2) : null,
    onLost: ({ name, how }) => progress.say(`${name} ${how}; others get its units when its leases end.`),
  });
  try {
    const result = await seeThrough(namespace, { workers, progress, signal: interrupted.signal });
    return { result, account: await accountOf(namespace, workers.lost) };
  } finally {
    await workers.stop();
  }
}
