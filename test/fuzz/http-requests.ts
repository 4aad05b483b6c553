import fc from 'fast-check';
import { encodeValue } from '../../src/codec/index.js';
import { routes } from '../../src/rest/server/routes.js';
import { mediaTypes } from '../../src/rest/wire/index.js';
import { damaged } from './damaged.js';

/** Names, as in paths, of which most are of things that are there. */
const segment = fc.constantFrom('n', 'n', 'n', 's', 'u', 'v', 'w', '-', '-LQ', '..', '%2e', '1', '2', '3', '-_w', '__proto__', 'a%00b', '%E0%A4%A', '%F0%9F%98%80', '{x}', 'x'.repeat(300));

/** Members of all bodies that there are, and of some that there are not. */
const member = fc.constantFrom(
  'name', 'data', 'meta', 'priority', 'not_before', 'weight', 'paused', 'continuous', 'interval', 'max_running', 'min_memory_gb', 'work_units', 'work_specs', 'runtimes',
  'number_of_work_units', 'lifetime', 'wait', 'available_gb', 'work_spec', 'work_unit', 'reports', 'action', 'url', 'extend_duration', 'delay', 'all_or_none', 'active', 'mode',
  'parent', 'last_update', 'expiration', 'reason', 'active_attempt_url', 'output', '__proto__', 'constructor', 'toJSON', '',
);

const text = fc.constantFrom(
  'n', 's', 'u', 'v', 'w', '', '-', 'finish', 'fail', 'renew', 'retry', 'available', 'oWNrZXnYgIA=', 'naïve\0', '\u{1f600}', '2026-11-20T08:55:24Z', '0001-01-01T00:00:00Z',
  '/namespace/n/work_spec/s/work_unit/u/attempt/w/1', 'http://elsewhere.example/namespace/n', '9999-99-99T99:99:99Z', 'x'.repeat(2_000),
);

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    text,
    fc.integer({ min: -2, max: 6 }),
    fc.constantFrom(0.5, 1e308, -0, 2 ** 53, 1e9, 6e10, null, true, false),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(member, tie('value'), { maxKeys: 5 }),
  ),
})).value;

/** Text of a body: JSON of something, or something that looks like it. */
const json = fc.oneof(
  { weight: 6, arbitrary: fc.dictionary(member, value, { maxKeys: 6 }).map((body) => JSON.stringify(body)) },
  { weight: 2, arbitrary: fc.constantFrom('{"name":"s"}', '{"data":{"name":"s"}}', '{"name":"u","data":{"a":1}}', '{"work_specs":["s"],"number_of_work_units":2}', '{"active":true}', '{}') },
  { weight: 1, arbitrary: fc.constantFrom('[[[[', '{"a":1e999}', '{"a":123456789012345678901}', '{"a":1.0}', 'null', '"', '', '[]', '{"data":"!"}') },
);

const body = fc.oneof(
  { weight: 4, arbitrary: json.map((written) => Buffer.from(written)) },
  { weight: 2, arbitrary: fc.dictionary(member, value, { maxKeys: 6 }).map((members) => Buffer.from(encodeValue(members))) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((bytes) => Buffer.from(bytes)) },
);

const query = fc.constantFrom('', '', '', '?counts=1', '?limit=2&previous=-YQ', '?name=u&name=v&status=available', '?status=any&limit=x', '?key=-_w', '?after=1&full=1', '?%zz', '?start=w&active=1', `?name=${'y'.repeat(5_000)}`);
const type = fc.constantFrom(...mediaTypes, 'text/plain', 'application/json; charset=utf-8', '*/*', 'text/event-stream', 'a/b;q=2', '');
const method = fc.constantFrom('GET', 'GET', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'NONSENSE');
const path = fc.oneof(
  { weight: 12, arbitrary: fc.tuple(fc.constantFrom(...routes.map((route) => route.path)), fc.array(segment, { minLength: 5, maxLength: 5 })).map(([template, names]) => named(template, names)) },
  { weight: 1, arbitrary: fc.constantFrom('/docs', '/openapi.json', '/metrics', '/health/live', '/health/ready', '/nowhere', '//', '*', '/%') },
);
const extra = fc.constantFrom(
  '', '', '', '', 'Expect: 100-continue\r\n', 'Connection: close\r\n', 'Authorization: Bearer x\r\n', 'Last-Event-ID: 1\r\n', `X-Long: ${'z'.repeat(20_000)}\r\n`, 'Upgrade: websocket\r\nConnection: upgrade\r\n',
  'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n', 'Transfer-Encoding: gzip\r\n', 'Content-Length: 3\r\n', 'Host: evil.example\r\n',
);

/** Requests to what is there, nearly all of them in proper HTTP. */
export const httpRequest = fc
  .record({ method, path, query, accept: type, contentType: type, body, extra, framing: fc.constantFrom('length', 'length', 'length', 'chunks', 'too short', 'too long') })
  .map((asked) => {
    const { framing } = asked;
    const head = `${asked.method} ${asked.path}${asked.query} HTTP/1.1\r\nHost: localhost\r\nAccept: ${asked.accept}\r\nContent-Type: ${asked.contentType}\r\n${asked.extra}`;
    if (framing === 'chunks') return Buffer.concat([Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`), chunked(asked.body), Buffer.from('0\r\n\r\n')]);
    const length = asked.body.length + (framing === 'too long' ? 5 : framing === 'too short' ? -Math.min(5, asked.body.length) : 0);
    return Buffer.concat([Buffer.from(`${head}Content-Length: ${length}\r\n\r\n`), asked.body]);
  });

/** The same, damaged; and bytes of no meaning. */
export const hostileRequest = fc.oneof(
  { weight: 5, arbitrary: httpRequest },
  { weight: 4, arbitrary: damaged(httpRequest) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
);

function named(template: string, names: readonly string[]): string {
  const queue = names.values();
  // A number mostly is one.
  return template.replaceAll(/:(\w+)/g, (_, name: string) => (name === 'number' ? '1' : (queue.next().value ?? 'n')));
}

function chunked(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2);
  const chunks = [bytes.subarray(0, middle), bytes.subarray(middle)].filter(({ length }) => length > 0);
  return Buffer.concat(chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
}
