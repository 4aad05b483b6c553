/*
 * Hostile bytes for both ports of a real server: `npm run fuzz`, or `npm run fuzz -- --seconds 60 --ports http --seed 1`. On an embedded PostgreSQL, or on
 * DATABASE_URL. `--heap-mib 128` limits the heap of the server, so that one that leaks ends. Ends with 1 if anything was wrong.
 */
import { parseArgs } from 'node:util';
import { connect, drop } from 'pg-coordinate';
import { startEmbeddedPostgres } from '../../src/database/embedded/index.js';
import { printTable } from '../bench/table.js';
import { fuzz, ports, type Fuzzed, type Port } from './fuzz.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: '20261120' },
    'at-once': { type: 'string', default: '32' },
    ports: { type: 'string', default: ports.join(',') },
    'heap-mib': { type: 'string' },
  },
});
const schema = 'fuzz';
const { seconds, seed } = values;
const limits = { seconds: Number(seconds), seed: Number(seed), atOnce: Number(values['at-once']) };
const heap = values['heap-mib'] === undefined ? {} : { heapMib: Number(values['heap-mib']) };
const given = process.env.DATABASE_URL ?? '';
const database = given === '' ? await startEmbeddedPostgres() : null;
const url = database?.url ?? given;
const results: [Port, Fuzzed][] = [];
try {
  for (const port of values.ports.split(',') as Port[]) {
    await drop(url, { schema });
    await (await connect(url, { schema, migrate: true })).close();
    results.push([port, await fuzz(port, { url, schema }, { ...limits, ...heap })]);
  }
  await drop(url, { schema });
} finally {
  await database?.stop();
}

const mib = (bytes: number): number => bytes / 2 ** 20;
printTable(
  `${values.seconds} s of hostile bytes for each port, ${values['at-once']} connections at a time, seed ${values.seed}`,
  ['port', 'connections', 'KiB sent', 'answers', 'RSS before, in quarters, after (MiB)', 'open files before, most, after', 'database connections, most', 'problems'],
  results.map(([port, { conversations, bytesSent, answers, problems, before, during, after }]) => {
    const quarters = [0.25, 0.5, 0.75, 1].map((share) => mib(during[Math.ceil(during.length * share) - 1]?.rss ?? 0).toFixed(0));
    const memory = [mib(before.rss).toFixed(0), ...quarters, mib(after.rss).toFixed(0)].join(' ');
    const most = (of: 'files' | 'connections'): number => Math.max(...during.map((sample) => sample[of]));
    const kinds = Object.entries(answers).map(([kind, count]) => `${kind}: ${count}`);
    return [port, conversations, bytesSent / 1024, kinds.join(', '), memory, `${before.files} ${most('files')} ${after.files}`, most('connections'), problems.length];
  }),
);
for (const [port, { problems }] of results) for (const problem of problems) console.error(`${port}: ${problem}`);
process.exitCode = results.every(([, { problems }]) => problems.length === 0) ? 0 : 1;
