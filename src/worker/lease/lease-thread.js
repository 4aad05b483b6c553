// @ts-check
/*
 * The program of the lease thread: plain JavaScript that imports nothing but `pg` and Node, so that it runs as it is from src/ and from
 * dist/. It looks at the table that lease-table.ts writes, and renews what is due on a connection of its own.
 */
import { parentPort, workerData } from 'node:worker_threads';
import pg from 'pg';
import { dueAfterMs, lookPauseMs, mostTogether } from './renewal-times.js';
import { clock, columns, generationBytes, slotsOfChunk, slotWidth } from './table-layout.js';

/** @typedef {import('./thread-messages.js').ThreadData} ThreadData */
/** @typedef {import('./thread-messages.js').ToThread} ToThread */
/** @typedef {import('./thread-messages.js').FromThread} FromThread */
/**
 * What this thread knows of a chunk: `seen` are the generations that `dueAt` is about.
 * @typedef {{ generations: Int32Array, fields: Float64Array, seen: Int32Array, dueAt: Float64Array }} Chunk
 */
/** @typedef {{ chunk: Chunk, slot: number, index: number, generation: number, unitId: number, number: number }} Due */

const { settings, statement, lifetimeMs, buffers } = /** @type {ThreadData} */ (workerData);
const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort);

/** A server that does not answer must be given up while there is time for another try. */
const patienceMs = Math.min(Math.max(lifetimeMs / 3, 1_000), 2 ** 31 - 1);
/** A connection that has nothing to renew for so long is closed. */
const idleAfterMs = 2 * lifetimeMs;
/** How long the end waits for a renewal under way. */
const stopPatienceMs = 1_000;

/** @type {Chunk[]} */
const chunks = [];
/** @type {pg.Client | undefined} */
let client;
let lastUseAt = 0;
let failures = 0;
let isAsked = false;
let isStopped = false;
/** @type {Promise<void> | undefined} */
let looking;
/** @type {NodeJS.Timeout | undefined} */
let timer;

/** @param {SharedArrayBuffer} buffer */
function addChunk(buffer) {
  chunks.push({
    generations: new Int32Array(buffer, 0, slotsOfChunk),
    fields: new Float64Array(buffer, generationBytes),
    seen: new Int32Array(slotsOfChunk),
    dueAt: new Float64Array(slotsOfChunk),
  });
}

/** @param {FromThread} message */
function tell(message) {
  port.postMessage(message);
}

/** The attempts that are due now. @returns {Due[]} */
function findDue() {
  const now = clock();
  /** @type {Due[]} */
  const due = [];
  for (const [number, chunk] of chunks.entries()) {
    for (let index = 0; index < slotsOfChunk; index++) {
      const found = dueIn(chunk, index, number * slotsOfChunk + index, now);
      if (found !== undefined) due.push(found);
    }
  }
  return due;
}

/**
 * @param {Chunk} chunk
 * @param {number} index
 * @param {number} slot
 * @param {number} now
 * @returns {Due | undefined}
 */
function dueIn(chunk, index, slot, now) {
  const generation = Atomics.load(chunk.generations, index);
  if (generation === 0) return undefined;
  const first = index * slotWidth;
  const field = (/** @type {number} */ column) => /** @type {number} */ (chunk.fields[first + column]);
  if (chunk.seen[index] !== generation) {
    const heldAt = field(columns.heldAt);
    // Else it was taken by another attempt meanwhile: it is seen at the next look.
    if (Atomics.load(chunk.generations, index) !== generation) return undefined;
    chunk.seen[index] = generation;
    chunk.dueAt[index] = heldAt + dueAfterMs(lifetimeMs);
  }
  if (now < /** @type {number} */ (chunk.dueAt[index]) || now >= field(columns.endsAt)) return undefined;
  const found = { chunk, slot, index, generation, unitId: field(columns.unitId), number: field(columns.number) };
  return Atomics.load(chunk.generations, index) === generation ? found : undefined;
}

/** @param {Due} due */
function isStillHeld({ chunk, index, generation }) {
  return Atomics.load(chunk.generations, index) === generation;
}

/** Renews all that is due. */
async function look() {
  const due = findDue();
  if (due.length === 0) {
    failures = 0;
    if (client !== undefined && clock() - lastUseAt > idleAfterMs) await disconnect();
    return;
  }
  for (let first = 0; first < due.length && !isStopped; first += mostTogether) {
    const together = due.slice(first, first + mostTogether).filter(isStillHeld);
    // After a failure the rest waits too: it would fail as well.
    if (together.length > 0 && !(await renew(together))) return;
  }
}

/** Resolves to whether the database could be asked. @param {Due[]} together */
async function renew(together) {
  const sentAt = clock();
  /** @type {{ number: number, renewed: boolean }[]} */
  let rows;
  try {
    const open = await connection();
    const values = [together.map((due) => due.unitId), together.map((due) => due.number), lifetimeMs];
    rows = /** @type {typeof rows} */ ((await open.query(statement, values)).rows);
  } catch (error) {
    await disconnect();
    failures++;
    ask(together, error instanceof Error ? error.message : String(error));
    return false;
  }
  failures = 0;
  lastUseAt = clock();
  judge(together, rows, sentAt);
  return true;
}

/**
 * @param {Due[]} together
 * @param {{ number: number, renewed: boolean }[]} rows
 * @param {number} sentAt
 */
function judge(together, rows, sentAt) {
  const renewed = new Set();
  const active = new Set();
  for (const row of rows) (row.renewed ? renewed : active).add(row.number);
  const unknown = [];
  for (const due of together) {
    // What is still active but was locked by somebody stays due.
    if (renewed.has(due.number)) due.chunk.dueAt[due.index] = sentAt + dueAfterMs(lifetimeMs);
    else if (!active.has(due.number)) unknown.push(due);
  }
  // The main thread takes them out of the table, or gives them another generation, when it gets round to it.
  for (const due of unknown) due.chunk.dueAt[due.index] = Infinity;
  if (unknown.length > 0) ask(unknown, null);
}

/**
 * @param {Due[]} dues
 * @param {string | null} problem
 */
function ask(dues, problem) {
  if (isStopped || (problem !== null && isAsked)) return;
  // A main thread that is blocked is not sent the same again and again.
  if (problem !== null) isAsked = true;
  tell({ type: 'ask', problem, slots: Int32Array.from(dues.flatMap(({ slot, generation }) => [slot, generation])) });
}

async function connection() {
  if (client === undefined) {
    const opened = new pg.Client({
      ...settings,
      connectionTimeoutMillis: patienceMs,
      query_timeout: patienceMs,
    });
    // An idle connection that breaks: the next renewal opens another. Without a listener the thread would end.
    opened.on('error', () => {
      if (client === opened) client = undefined;
    });
    client = opened;
    await opened.connect();
  }
  return client;
}

async function disconnect() {
  const open = client;
  client = undefined;
  await open?.end().catch(() => undefined);
}

function lookLater() {
  if (isStopped) return;
  timer = setTimeout(() => {
    looking = look().finally(lookLater);
  }, lookPauseMs(lifetimeMs, failures));
}

async function stop() {
  isStopped = true;
  clearTimeout(timer);
  await Promise.race([looking, new Promise((resolve) => setTimeout(resolve, stopPatienceMs).unref())]);
  await disconnect();
  port.close();
}

port.on('message', (/** @type {ToThread} */ message) => {
  if (message.type === 'grown') addChunk(message.buffer);
  else if (message.type === 'answered') isAsked = false;
  else void stop();
});
for (const buffer of buffers) addChunk(buffer);
lookLater();
tell({ type: 'ready' });
