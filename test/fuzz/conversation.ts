import fc from 'fast-check';
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** What a client sends over one connection, and how. */
export interface Conversation {
  /** Pieces, cut and glued without regard to messages. */
  readonly pieces: readonly Buffer[];
  /** Between two pieces, in milliseconds. */
  readonly pauseMs: number;
  /** Then: says that it has nothing more to say, and takes what comes; takes what comes for a moment, and goes; goes at once. */
  readonly ending: 'end' | 'listen' | 'vanish';
  /** Whether it takes anything before it has sent everything. */
  readonly takesLate: boolean;
}

/** What came of it. */
export interface Heard {
  readonly bytes: Buffer;
  /** Whether the server has ended the connection, so that all it had to say must be there. */
  readonly isComplete: boolean;
}

/** Conversations of some of these messages. */
export function conversationOf(message: fc.Arbitrary<Buffer>): fc.Arbitrary<Conversation> {
  return fc
    .record({
      messages: fc.array(message, { minLength: 1, maxLength: 6 }),
      cuts: fc.array(fc.nat(), { maxLength: 6 }),
      pauseMs: fc.constantFrom(0, 0, 0, 0, 1, 5, 30),
      ending: fc.constantFrom('end' as const, 'end' as const, 'end' as const, 'listen' as const, 'vanish' as const),
      takesLate: fc.constantFrom(false, false, false, true),
    })
    .map(({ messages, cuts, ...how }) => {
      const whole = Buffer.concat(messages);
      const places = cuts.map((cut) => cut % (whole.length + 1)).toSorted((a, b) => a - b);
      return { ...how, pieces: [0, ...places].map((from, index) => whole.subarray(from, places[index])) };
    });
}

/** A client that only listens is patient for so long, and any other after its last word, in milliseconds. */
const momentMs = 50;
const patienceMs = 6_000;

/** Has the conversation with whoever listens there. */
export async function converse(port: number, { pieces, pauseMs, ending, takesLate }: Conversation): Promise<Heard> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  let [hasEnded, wasReset] = [false, false];
  socket.on('end', () => (hasEnded = true));
  socket.on('error', () => (wasReset = true));
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const take = (): void => void socket.on('data', (chunk) => chunks.push(chunk));
  if (!takesLate) take();
  await Promise.race([once(socket, 'connect').catch(() => undefined), closed]);
  for (const piece of pieces) {
    if (socket.destroyed) break;
    if (!socket.write(piece)) await Promise.race([once(socket, 'drain').catch(() => undefined), closed, wait(momentMs)]);
    if (pauseMs > 0) await wait(pauseMs);
  }
  if (takesLate) take();
  if (ending === 'end') {
    socket.end();
    await Promise.race([closed, wait(patienceMs)]);
  } else if (ending === 'listen') {
    await Promise.race([closed, wait(momentMs)]);
  }
  socket.destroy();
  await closed;
  return { bytes: Buffer.concat(chunks), isComplete: hasEnded && !wasReset };
}
