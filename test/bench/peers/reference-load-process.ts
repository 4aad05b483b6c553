/* The process of a reference load: works until its parent goes away, which it tells what that takes. See reference-load.ts. */
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import type { ReferenceDone } from './reference-load.js';

process.once('disconnect', () => process.exit());

const [rowsOfPiece, rowsOfAll, stride] = [1_000, 100_000, 99_707];
const pauseMs = 40;

const client = new pg.Client({ connectionString: process.argv[2] });
await client.connect();
const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid');
const backend = rows[0]!.pid;

/** Of this process and of its backend, whose own begins with nanoseconds. */
const cpuMicros = (): number => {
  const { user, system } = process.cpuUsage();
  return user + system + Number(readFileSync(`/proc/${backend}/schedstat`, 'utf8').split(' ')[0]) / 1_000;
};

let first = 0;
const doPiece = async (): Promise<void> => {
  first = (first + stride) % (rowsOfAll - rowsOfPiece);
  await client.query({ name: 'piece', text: 'select id, name, data from item where id between $1 and $1 + 999 order by name', values: [first] });
};

// Compiled and in the caches as it will be.
for (let piece = 0; piece < 500; piece++) await doPiece();
let done: ReferenceDone = { pieces: 0, micros: 0, backend };
for (;;) {
  process.send?.(done);
  await wait(pauseMs);
  // The first piece after a pause finds the caches as others have left them: what it takes says more of those.
  await doPiece();
  const before = cpuMicros();
  for (let piece = 0; piece < 2; piece++) await doPiece();
  done = { pieces: done.pieces + 2, micros: done.micros + cpuMicros() - before, backend };
}
