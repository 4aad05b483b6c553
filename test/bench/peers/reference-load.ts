import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { command, type BenchServer } from './database.js';

const program = fileURLToPath(new URL('reference-load-process.ts', import.meta.url));

/** What the reference load has done so far. */
export interface ReferenceDone {
  readonly pieces: number;
  /** Of CPU, of its process and of its backend. */
  readonly micros: number;
  /** The server's process. */
  readonly backend: number;
}

/**
 * The same work again and again beside whatever is measured, about a twentieth of two processors: reading rows that do not change. What a piece of it
 * takes says how fast the machine is at that moment, whose processors, caches and memory may be shared with others.
 */
export interface ReferenceLoad {
  /** As of its last pieces, a twentieth of a second ago. Raises if it has ended by itself. */
  readonly done: ReferenceDone;
}

/** Runs `use` with it beside. */
export async function withReferenceLoad<T>(server: BenchServer, use: (load: ReferenceLoad) => Promise<T>): Promise<T> {
  return server.withDatabase(async (url) => {
    await command(
      url,
      `create table item as select id, 'item-' || lpad((id * 7919 % 100003)::text, 10, '0') as name, decode(repeat('ab', 40), 'hex') as data from generate_series(1::bigint, 100000) id`,
      'alter table item add primary key (id)',
      'vacuum analyze item',
    );
    const child = fork(program, [url], { execArgv: ['--import', import.meta.resolve('tsx')] });
    let done: ReferenceDone | undefined;
    child.on('message', (message) => (done = message as ReferenceDone));
    const ended = once(child, 'exit');
    try {
      await Promise.race([once(child, 'message'), ended]);
      return await use({
        get done() {
          if (done === undefined || !child.connected) throw new Error('The reference load has ended by itself; see its error above');
          return done;
        },
      });
    } finally {
      if (child.connected) child.disconnect();
      await ended;
    }
  });
}

/** What a piece took on average in between; NaN: there was none, as in a quick run. */
export function microsOfPiece(from: ReferenceDone, to: ReferenceDone): number {
  return (to.micros - from.micros) / (to.pieces - from.pieces);
}
