import { STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { MalformedRequestError } from '../../errors/index.js';
import { defaultType, encodeBody, errorToBody } from '../wire/index.js';

/** What the parser of HTTP finds wrong, as the client is told it. */
const problems: Readonly<Record<string, readonly [status: number, problem: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'its headers are too long'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'it took too long to arrive'],
};

/** How long a client may go on sending after all was said, in milliseconds. */
const lingerMs = 5_000;

const closing = new WeakSet<Socket>();

/** Answers bytes that are no request, or never become one, with an error like any other, and closes the connection. */
export function answerBadBytes(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  if (socket.writable) {
    const [status, problem] = problems[error.code ?? ''] ?? [400, 'it is not HTTP'];
    const body = encodeBody(errorToBody(new MalformedRequestError(problem)), 'json');
    const head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\nContent-Type: ${defaultType}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n`;
    socket.end(Buffer.concat([Buffer.from(head, 'latin1'), body]));
  }
  closeWhenRead(socket);
}

/**
 * Closes a connection on which all has been said once the client has ended its side, too: to close it with anything unread makes the system throw away what
 * of the answers is still on its way to a client that takes its time.
 */
function closeWhenRead(socket: Socket): void {
  if (closing.has(socket)) return;
  closing.add(socket);
  const read = (): void => {
    const limit = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => clearTimeout(limit));
    socket.resume();
  };
  if (socket.writableFinished) read();
  else socket.once('finish', read);
}
