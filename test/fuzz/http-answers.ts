import { decodeValue } from '../../src/codec/index.js';
import { eventStreamType, mediaTypes } from '../../src/rest/wire/index.js';

/** What was found in the bytes of a connection. */
export interface HttpAnswers {
  /** How many answers, by status. */
  readonly statuses: ReadonlyMap<number, number>;
  /** What is wrong with them. */
  readonly problems: readonly string[];
}

/** Those that a server which is well and asked for nonsense has no reason for. */
const worrying = new Set([500, 502, 504]);

/**
 * Takes apart what a server has sent over one connection: whole answers, each with a body of its type, and, if the server has not ended the
 * connection, the beginning of another one.
 */
export function readHttpAnswers(bytes: Buffer, isComplete: boolean): HttpAnswers {
  const statuses = new Map<number, number>();
  const problems: string[] = [];
  for (let rest = bytes; rest.length > 0; ) {
    const end = rest.indexOf('\r\n\r\n');
    if (end === -1) {
      if (isComplete) problems.push(`an answer ends within its head: ${shown(rest)}`);
      break;
    }
    const head = rest.subarray(0, end).toString('latin1');
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [A-Za-z' -]+(?:\r\n[A-Za-z-]+: [^\r\n]*)*$/.exec(head)?.[1]);
    if (Number.isNaN(status)) {
      problems.push(`not an answer: ${shown(rest)}`);
      break;
    }
    statuses.set(status, (statuses.get(status) ?? 0) + 1);
    if (worrying.has(status)) problems.push(`a failure: ${shown(rest)}`);
    rest = rest.subarray(end + 4);
    const body = bodyOf(head, status, rest);
    if (body === 'cut off') {
      if (isComplete && !head.includes(eventStreamType)) problems.push(`an answer ends within its body: ${head}`);
      break;
    }
    const problem = problemOf(head, body.content);
    if (problem !== undefined) problems.push(`${problem}: ${head} ${shown(body.content)}`);
    rest = rest.subarray(body.length);
  }
  return { statuses, problems };
}

/** The body, and how many bytes it takes. What was asked with HEAD has none, whatever its head says. */
function bodyOf(head: string, status: number, rest: Buffer): { readonly content: Buffer; readonly length: number } | 'cut off' {
  const none = { content: Buffer.alloc(0), length: 0 };
  if (status < 200 || status === 204 || rest.length === 0 || rest.subarray(0, 9).toString('latin1') === 'HTTP/1.1 ') return none;
  if (/^transfer-encoding: chunked$/im.test(head)) return chunksOf(rest);
  const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? 0);
  return rest.length < length ? 'cut off' : { content: rest.subarray(0, length), length };
}

function chunksOf(rest: Buffer): { readonly content: Buffer; readonly length: number } | 'cut off' {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = rest.indexOf('\r\n', at);
    const size = Number.parseInt(rest.subarray(at, end === -1 ? at : end).toString('latin1'), 16);
    if (end === -1 || Number.isNaN(size) || rest.length < end + 4 + size) return 'cut off';
    chunks.push(rest.subarray(end + 2, end + 2 + size));
    at = end + 4 + size;
    if (size === 0) return { content: Buffer.concat(chunks), length: at };
  }
}

/** What is wrong with a body; undefined: nothing. */
function problemOf(head: string, body: Buffer): string | undefined {
  const type = /^content-type: ([^;\r\n]+)/im.exec(head)?.[1]?.trim() ?? '';
  if (body.length === 0) return undefined;
  try {
    if (type === 'application/cbor') decodeValue(body);
    else if (type.includes('json')) JSON.parse(body.toString('utf8'));
    else if (type === eventStreamType) return /^(?:(?:data: \{.*\}|: .*|id: 1|retry: \d+)?\n)*$/.test(body.toString('utf8')) ? undefined : 'not server-sent events';
    else if (!['text/plain', 'text/html', ...mediaTypes].includes(type)) return `a body of type ${JSON.stringify(type)}`;
  } catch (error) {
    return `a body that is not what it is said to be (${String(error)})`;
  }
  return undefined;
}

function shown(bytes: Buffer): string {
  return JSON.stringify(bytes.subarray(0, 300).toString('latin1'));
}
