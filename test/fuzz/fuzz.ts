import fc from 'fast-check';
import { setTimeout as wait } from 'node:timers/promises';
import { call, damagedCall, likelyCall, noise, wrappedNoise } from '../cbor-rpc/hostile-messages.js';
import { Client } from '../cbor-rpc/client.js';
import { serveProcess, type ServedTables } from '../support/serve-process.js';
import { readCborAnswers } from './cbor-answers.js';
import { conversationOf, converse, type Conversation, type Heard } from './conversation.js';
import { readHttpAnswers } from './http-answers.js';
import { hostileRequest } from './http-requests.js';
import { Observed, type Holding } from './observed.js';

export const ports = ['http', 'cbor-rpc'] as const;
export type Port = (typeof ports)[number];

export interface FuzzOptions {
  readonly seconds: number;
  /** Conversations, however long they take. @default 0 */
  readonly atLeast?: number;
  readonly seed: number;
  /** Connections at a time. */
  readonly atOnce: number;
  /** The most that the server's heap may take, in MiB: one that leaks ends. @default as Node has it */
  readonly heapMib?: number;
}

/** What came of it. */
export interface Fuzzed {
  readonly conversations: number;
  readonly bytesSent: number;
  /** Answers by their kind: statuses; results and errors. */
  readonly answers: Readonly<Record<string, number>>;
  /** What should not be: a crash, answers that are malformed, internal errors, files that stay open. The first of each kind. */
  readonly problems: readonly string[];
  /** Before, from time to time, and a moment after. */
  readonly before: Holding;
  readonly during: readonly Holding[];
  readonly after: Holding;
}

/** Short times, so that who does not end what he began is let go while it still goes on. */
const flags = ['--requests-per-second', '0', '--header-seconds', '1', '--request-seconds', '2', '--wait-seconds', '1', '--grace-seconds', '5', '--cbor-rpc-namespace', 'n'];

/** How long a server may take to let go of what it holds when nobody asks any more, in milliseconds. */
const settleMs = 15_000;

const conversations: Readonly<Record<Port, fc.Arbitrary<Conversation>>> = {
  http: conversationOf(hostileRequest),
  'cbor-rpc': conversationOf(fc.oneof(call, likelyCall, likelyCall, damagedCall, noise, wrappedNoise)),
};

/** Sends hostile conversations to one port of a server in a process of its own. The same ones for the same seed, as far as time allows. */
export async function fuzz(port: Port, tables: ServedTables, { seconds, atLeast = 0, seed, atOnce, heapMib }: FuzzOptions): Promise<Fuzzed> {
  const problems = new Map<string, string>();
  const note = (problem: string): void => void problems.set(problem.slice(0, 40), problem);
  const onLog = (line: string): void => {
    if (/TypeError|RangeError|failed: |unhandled|    at |FATAL|heap/i.test(line)) note(`the log says: ${line}`);
  };
  const server = await serveProcess(tables, { cborRpcPort: 0, flags, onLog, ...(heapMib !== undefined && { nodeFlags: [`--max-old-space-size=${heapMib}`] }) });
  const observed = new Observed({ ...server, url: tables.url });
  const portNumber = port === 'http' ? Number(new URL(server.url).port) : server.cborRpcPort!;
  await warmUp(server.url, portNumber, port);
  const before = await observed.now();
  observed.start(Math.max(200, seconds * 25));

  const answers: Record<string, number> = {};
  let [count, bytesSent] = [0, 0];
  const read = (heard: Heard, { pieces, ending }: Conversation): void => {
    const found = port === 'http' ? httpAnswers(heard) : cborAnswers(heard);
    for (const problem of found.problems) note(`${problem}; after (${ending}) ${JSON.stringify(Buffer.concat(pieces).toString('latin1').slice(0, 3_000))}`);
    for (const [kind, number] of found.counts) if (number > 0) answers[kind] = (answers[kind] ?? 0) + number;
  };
  const until = performance.now() + seconds * 1_000;
  const isOver = (): boolean => server.hasEnded || (performance.now() >= until && count >= atLeast);
  let nextSeed = seed;
  const loop = async (): Promise<void> => {
    while (!isOver()) {
      // What has been deleted is made anew, or there would soon be nothing to be done.
      await warmUp(server.url, portNumber, port).catch(() => undefined);
      for (const conversation of fc.sample(conversations[port], { seed: nextSeed++, numRuns: 20 })) {
        if (isOver()) break;
        count++;
        bytesSent += conversation.pieces.reduce((sum, { length }) => sum + length, 0);
        read(await converse(portNumber, conversation), conversation);
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, loop));

  if (server.hasEnded) note('the server has ended');
  else await warmUp(server.url, portNumber, port).catch((error: unknown) => note(`who behaves is not served: ${String(error)}`));
  const after = await settled(observed, before);
  if (after.files > before.files + 12) note(`${after.files - before.files} files are still open`);
  await observed.stop();
  await server.stop();
  return { conversations: count, bytesSent, answers, problems: [...problems.values()], before, during: observed.samples, after };
}

/** Asks as a client does that behaves, and has the patience of one: a busy server may take its time. */
async function warmUp(url: string, portNumber: number, port: Port): Promise<void> {
  if (port === 'http') {
    const made = await fetch(new URL('/namespace/n/work_spec', url), { method: 'POST', headers: { 'content-type': 'application/json', connection: 'close' }, body: '{"data":{"name":"s"}}' });
    if (made.status !== 201) throw new Error(`it answers ${made.status}`);
    return;
  }
  const client = await Client.connect({ address: { host: '127.0.0.1', port: portNumber } });
  // As long as fetch waits, so that one that never answers is a problem to be told.
  client.socket.setTimeout(300_000, () => client.close());
  try {
    await client.call('set_work_spec', { name: 'spec' });
  } finally {
    client.close();
  }
}

async function settled(observed: Observed, before: Holding): Promise<Holding> {
  const until = performance.now() + settleMs;
  let holding = await observed.now();
  while (holding.files > before.files + 12 && performance.now() < until) {
    await wait(100);
    holding = await observed.now();
  }
  return holding;
}

interface Found {
  readonly counts: Iterable<readonly [string, number]>;
  readonly problems: readonly string[];
}

function httpAnswers({ bytes, isComplete }: Heard): Found {
  const { statuses, problems } = readHttpAnswers(bytes, isComplete);
  return { counts: [...statuses].map(([status, count]) => [String(status), count] as const), problems };
}

function cborAnswers({ bytes, isComplete }: Heard): Found {
  const { results, errors, problems } = readCborAnswers(bytes, isComplete);
  return { counts: [['result', results], ['error', errors]], problems };
}
