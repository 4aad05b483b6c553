import { wallClock } from '../clock/index.js';
import { InvalidArgumentError } from '../errors/index.js';

/** A request that was answered. */
export interface LoggedRequest {
  readonly address: string;
  readonly method: string;
  /** As it came, with the query. */
  readonly url: string;
  readonly httpVersion: string;
  readonly status: number;
  /** Length of the answer's body; undefined: not known. */
  readonly bytes: number | undefined;
  readonly durationMs: number;
  readonly userAgent: string | undefined;
  /** Who asked, if that is known: the name of a token, never the token. */
  readonly user?: string;
}

/** Combined: that of Apache and nginx, with the duration in milliseconds behind it. JSON: an object a line. */
export type RequestLogFormat = 'combined' | 'json';

/** Longer ones are cut. */
const longestPath = 1_000;
const longestUserAgent = 200;

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/**
 * Writes a line for each request: who, when, what, how it ended. Paths are shown as they came, with the names of namespaces, work specs, units and
 * workers; of queries only the parameters' names; of headers only User-Agent; of bodies nothing. What a client sends cannot begin a line
 * of its own. Raises InvalidArgument.
 */
export function requestLog(
  format: RequestLogFormat,
  write: (line: string) => void,
  now: () => Date = () => wallClock.now(),
): (request: LoggedRequest) => void {
  if (format !== 'combined' && format !== 'json') throw new InvalidArgumentError('format', "must be 'combined' or 'json'");
  const line = format === 'combined' ? combined : json;
  return (request) => write(line(request, now()));
}

function combined({ address, user, method, url, httpVersion, status, bytes, userAgent, durationMs }: LoggedRequest, at: Date): string {
  const request = `${method} ${shownUrl(url)} HTTP/${httpVersion}`;
  const agent = userAgent === undefined ? '-' : quotable(userAgent.slice(0, longestUserAgent));
  const who = user === undefined ? '-' : quotable(user).replaceAll(' ', '_');
  return `${address} - ${who} [${logTime(at)}] "${quotable(request)}" ${status} ${bytes ?? '-'} "-" "${agent}" ${durationMs.toFixed(1)}\n`;
}

function json({ address, user, method, url, httpVersion, status, bytes, userAgent, durationMs }: LoggedRequest, at: Date): string {
  return `${JSON.stringify({
    level: 'info',
    time: at.toISOString(),
    msg: 'request',
    address,
    user,
    method,
    url: shownUrl(url),
    httpVersion,
    status,
    bytes,
    userAgent: userAgent?.slice(0, longestUserAgent),
    durationMs: Math.round(durationMs * 10) / 10,
  })}\n`;
}

/** Without the values of the query. */
function shownUrl(url: string): string {
  const begin = url.indexOf('?');
  const path = begin < 0 ? url : url.slice(0, begin);
  const shown = path.length > longestPath ? `${path.slice(0, longestPath)}...` : path;
  if (begin < 0) return shown;
  const names = [...new URLSearchParams(url.slice(begin + 1)).keys()].map((name) => encodeURIComponent(name.toWellFormed()));
  return `${shown}?${[...new Set(names)].join('&').slice(0, longestPath)}`;
}

/** "20/Nov/2026:08:55:24 +0000" */
function logTime(at: Date): string {
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${two(at.getUTCDate())}/${months[at.getUTCMonth()] ?? ''}/${at.getUTCFullYear()}`;
  return `${day}:${two(at.getUTCHours())}:${two(at.getUTCMinutes())}:${two(at.getUTCSeconds())} +0000`;
}

/** What ends neither quotes nor lines, as Apache writes it. */
function quotable(text: string): string {
  return text.replaceAll(/["\\]|[^\x20-\x7e]/g, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(''),
  );
}
