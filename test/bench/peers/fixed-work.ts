import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { command, type BenchServer } from './database.js';

const program = fileURLToPath(new URL('fixed-work-process.ts', import.meta.url));

/** What all of it has taken so far. */
export interface FixedWorkDone {
  readonly pieces: number;
  /** Of CPU, its own and the server's. */
  readonly micros: number;
}

/**
 * The same work again and again beside whatever is measured, about a twentieth of two processors: reading rows that do not change. What a piece of it
 * takes says how fast the machine is at that moment, whose processors, caches and memory may be shared with others.
 */
export interface FixedWork {
  /** As of the last fifth of a second. */
  readonly done: FixedWorkDone;
}

/** Runs `use` with it beside. */
export async function withFixedWork<T>(server: BenchServer, use: (work: FixedWork) => Promise<T>): Promise<T> {
  return server.withDatabase(async (url) => {
    await command(
      url,
      `create table item as select id, 'item-' || lpad((id * 7919 % 100003)::text, 10, '0') as name, decode(repeat('ab', 40), 'hex') as data from generate_series(1::bigint, 100000) id`,
      'alter table item add primary key (id)',
      'vacuum analyze item',
    );
    const child = fork(program, [url], { execArgv: ['--import', import.meta.resolve('tsx')] });
    const work = { done: { pieces: 0, micros: 0 } };
    child.on('message', (message) => (work.done = message as FixedWorkDone));
    const ended = once(child, 'exit');
    const hasFailed = ended.then(([code]) => Promise.reject(new Error(`The fixed work beside the load has ended by itself, with code ${code}; see its error above`)));
    hasFailed.catch(() => undefined);
    try {
      await Promise.race([once(child, 'message'), hasFailed]);
      return await Promise.race([use(work), hasFailed]);
    } finally {
      if (child.connected) child.disconnect();
      await ended;
    }
  });
}

/** What a piece took on average in between. */
export function microsOfPiece(from: FixedWorkDone, to: FixedWorkDone): number {
  return (to.micros - from.micros) / (to.pieces - from.pieces);
}
