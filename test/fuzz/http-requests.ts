import fc from 'fast-check';
import { encodeValue } from '../../src/codec/index.js';
import { routes } from '../../src/rest/server/routes.js';
import { mediaTypes } from '../../src/rest/wire/index.js';
import { damaged } from './damaged.js';

/** Names, as in paths, of which few are of things that are there. */
const segment = fc.constantFrom('n', 's', 'v', '-', '-LQ', '..', '%2e', '1', '2', '3', '-_w', '__proto__', 'a%00b', '%E0%A4%A', '%F0%9F%98%80', '{x}', 'x'.repeat(300));

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
  { weight: 6, arbitrary: fc.constantFrom('{"name":"s"}', '{"data":{"name":"s"}}', '{"name":"u","data":{"a":1}}', '{"work_specs":["s"],"number_of_work_units":2}', '{"active":true}', '{}') },
  { weight: 1, arbitrary: fc.constantFrom('[[[[', '{"a":1e999}', '{"a":123456789012345678901}', '{"a":1.0}', 'null', '"', '', '[]', '{"data":"!"}') },
);

const good = { weight: 12 };
const odd = { weight: 1 };

/** A body, mostly with the type that it is of. */
const body = fc
  .tuple(
    fc.oneof(
      { weight: 4, arbitrary: json.map((written) => ({ bytes: Buffer.from(written), type: 'application/json' })) },
      { weight: 2, arbitrary: fc.dictionary(member, value, { maxKeys: 6 }).map((members) => ({ bytes: Buffer.from(encodeValue(members)), type: 'application/cbor' })) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }).map((bytes) => ({ bytes: Buffer.from(bytes), type: 'application/cbor' })) },
    ),
    fc.oneof({ ...good, arbitrary: fc.constant(undefined) }, { ...odd, arbitrary: fc.constantFrom(...mediaTypes, 'text/plain', 'application/json; charset=utf-8', '') }),
  )
  .map(([{ bytes, type }, other]) => ({ bytes, type: other ?? type }));

const query = fc.constantFrom('', '', '', '', '', '', '', '', '?counts=1', '?limit=2&previous=-YQ', '?name=u&name=v&status=available', '?status=any&limit=x', '?key=-_w', '?after=1&full=1', '?%zz', '?start=w&active=1', `?name=${'y'.repeat(5_000)}`);
const accept = fc.oneof({ ...good, arbitrary: fc.constantFrom('*/*', ...mediaTypes) }, { ...odd, arbitrary: fc.constantFrom('text/event-stream', 'text/plain', 'a/b;q=2', '') });
const method = fc.oneof(
  { ...good, arbitrary: fc.constantFrom('GET', 'GET', 'POST', 'POST', 'POST', 'PUT', 'PATCH', 'DELETE') },
  { ...odd, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'TRACE', 'NONSENSE') },
);
const path = fc.oneof(
  { weight: 20, arbitrary: fc.tuple(fc.constantFrom(...routes.map((route) => route.path)), fc.array(fc.oneof({ ...good, arbitrary: fc.constant(undefined) }, { ...odd, arbitrary: segment }), { minLength: 5, maxLength: 5 })).map(([template, names]) => named(template, names)) },
  { weight: 1, arbitrary: fc.constantFrom('/docs', '/openapi.json', '/metrics', '/health/live', '/health/ready', '/nowhere', '//', '*', '/%') },
);
const extra = fc.oneof(
  { ...good, arbitrary: fc.constant('') },
  {
    ...odd,
    arbitrary: fc.constantFrom(
      'Expect: 100-continue\r\n', 'Connection: close\r\n', 'Authorization: Bearer x\r\n', 'Last-Event-ID: 1\r\n', `X-Long: ${'z'.repeat(20_000)}\r\n`, 'Transfer-Encoding: gzip\r\n',
      'Upgrade: websocket\r\nConnection: upgrade\r\n', 'traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n', 'Content-Length: 3\r\n', 'Host: evil.example\r\n',
    ),
  },
);
const framing = fc.oneof({ ...good, arbitrary: fc.constantFrom('length', 'length', 'chunks') }, { ...odd, arbitrary: fc.constantFrom('too short', 'too long') });

/** Requests to what is there, nearly all of them in proper HTTP. */
export const httpRequest = fc
  .record({ method, path, query, accept, body, extra, framing })
  .map((asked) => {
    const { bytes, type } = asked.body;
    const head = `${asked.method} ${asked.path}${asked.query} HTTP/1.1\r\nHost: localhost\r\nAccept: ${asked.accept}\r\nContent-Type: ${type}\r\n${asked.extra}`;
    if (asked.framing === 'chunks') return Buffer.concat([Buffer.from(`${head}Transfer-Encoding: chunked\r\n\r\n`), chunked(bytes), Buffer.from('0\r\n\r\n')]);
    const length = bytes.length + (asked.framing === 'too long' ? 5 : asked.framing === 'too short' ? -Math.min(5, bytes.length) : 0);
    return Buffer.concat([Buffer.from(`${head}Content-Length: ${length}\r\n\r\n`), bytes]);
  });

/** The same, damaged; and bytes of no meaning. */
export const hostileRequest = fc.oneof(
  { weight: 8, arbitrary: httpRequest },
  { weight: 3, arbitrary: damaged(httpRequest) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)) },
);

/** What is there under each variable of a path. */
const known: Readonly<Record<string, string>> = { namespace: 'n', spec: 's', unit: 'u', worker: 'w', number: '1' };

function named(template: string, names: readonly (string | undefined)[]): string {
  const queue = names.values();
  return template.replaceAll(/:(\w+)/g, (_, variable: string) => queue.next().value ?? known[variable] ?? 'n');
}

function chunked(bytes: Buffer): Buffer {
  const middle = Math.floor(bytes.length / 2);
  const chunks = [bytes.subarray(0, middle), bytes.subarray(middle)].filter(({ length }) => length > 0);
  return Buffer.concat(chunks.flatMap((chunk) => [Buffer.from(`${chunk.length.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]));
}
