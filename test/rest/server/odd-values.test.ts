import { describe, expect, test } from 'vitest';
import { encodeValue } from '../../../src/codec/index.js';
import { schemas } from '../../../src/rest/server/openapi/schemas.js';
import { routes } from '../../../src/rest/server/routes.js';
import { serving } from './serving.js';

const failures: string[] = [];
const logger = { warn: () => undefined, error: (text: string) => void failures.push(text) };
const { ask, coordinate } = await serving({ requestsPerSecond: 0, longestWaitMs: 1, logger });
const namespace = await coordinate.namespace('n');

/** What a member may be in a body of JSON, as it is written there. */
const odd = [
  'null', 'true', '""', '-1', '0.5', '1e308', '5e-324', '9007199254740993', '-9223372036854775808', '18446744073709551616', '1e400', '1e30', '[]', '{}', '[null]', '[{}]', '"\\u0000"',
  '"\\ud800"', `"${'x'.repeat(1_001)}"`, '"-"', '"../.."', '"0001-01-01T00:00:00.001Z"', '"9999-12-31T23:59:59-23:59"', '"0000-01-01T00:00:00+23:59"', '"/w=="', '{"__proto__":{"a":1.0}}',
  '{"":"","toString":null}',
];

/** The same where only CBOR can say it. */
const oddInCbor = [Number.NaN, Number.POSITIVE_INFINITY, new Date(8.64e15), 2n ** 64n - 1n, -(2n ** 64n), Uint8Array.of(0xff, 0), new Map([[1, 2]]), undefined];

/** Without which the odd member would never be looked at. */
const usual: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  AttemptSpecific: { work_spec: 's', work_unit: 'u' },
  WorkerInput: { active: true },
  NewWorkUnit: { name: 'v' },
};

/** PATCH reads the members that PUT does, in the same way. */
const writing = routes.flatMap(({ path, operations }) =>
  [...operations].flatMap(([method, { takes }]) => (takes === undefined || method === 'PATCH' ? [] : [[method, path, takes] as const])),
);

const spec = await namespace.setWorkSpec({ name: 's' });
await spec.addWorkUnits([{ name: 'u', data: {} }]);
const { number } = await (await namespace.worker('w')).makeAttempt(await spec.workUnit('u'));
const pathOf = (template: string): string =>
  template.replace(':namespace', 'n').replace(':spec', 's').replace(':unit', 'u').replace(':worker', 'w').replace(':number', String(number));

async function send(method: string, path: string, body: string | Uint8Array, type = 'application/json'): Promise<void> {
  const { status, text } = await ask(method, path, { body, headers: { 'content-type': type } });
  if (status >= 500) failures.push(`${method} ${path} ${Buffer.from(body).toString('latin1').slice(0, 200)} -> ${text}`);
}

describe('nothing that a body may hold is a failure of the server', () => {
  test.each(writing)('%s %s', async (method, path, takes) => {
    failures.length = 0;
    const members = Object.keys((schemas[takes] as { properties?: object }).properties ?? {});
    const others = usual[takes] ?? {};
    for (const name of members) {
      const rest = Object.entries(others).map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`).join('');
      for (const value of odd) await send(method, pathOf(path), `{${JSON.stringify(name)}:${value}${name in others ? '' : rest}}`);
      for (const value of oddInCbor) await send(method, pathOf(path), new Uint8Array(encodeValue({ ...others, [name]: value })), 'application/cbor');
    }
    expect(failures).toEqual([]);
  });

  test('nor what a definition, a unit or a report may hold', async () => {
    failures.length = 0;
    const [S, attempt] = ['/namespace/n/work_spec', pathOf('/namespace/:namespace/work_spec/:spec/work_unit/:unit/attempt/:worker/:number')];
    const known = ['name', 'priority', 'weight', 'nice', 'disabled', 'continuous', 'interval', 'max_running', 'max_getwork', 'max_retries', 'min_gb', 'then', 'runtime'];
    for (const value of odd) {
      for (const name of known) await send('POST', S, `{"data":{"name":"odd","${name}":${value}}}`);
      for (const name of ['priority', 'not_before']) await send('POST', `${S}/s/work_unit`, `{"name":"odd","meta":{"${name}":${value}}}`);
      await send('POST', `${S}/s/adjust`, `{"meta":{"priority":${value}}}`);
      await send('POST', `${S}/s/work_units`, `{"work_units":[{"name":${value}}]}`);
      await send('POST', '/namespace/n/attempt_reports', `{"reports":[{"action":"finish","url":${value}}]}`);
      await send('POST', '/namespace/n/attempt_reports', `{"reports":[{"action":"finish","url":"${attempt}","data":{"output":${value}}}]}`);
    }
    expect(failures).toEqual([]);
  });
});

test('nothing that a query may hold is one', async () => {
  failures.length = 0;
  const values = ['', '-1', '0', '1e9', '999999999999999', '999999999999999999', '%00', '%ff', '-', '--', '-AA', 'NaN', 'x'.repeat(2_000)];
  for (const { path, operations } of routes) {
    for (const { name } of operations.get('GET')?.query ?? []) {
      for (const value of values) {
        const at = `${pathOf(path)}?${name}=${value}`;
        const { status, text } = await ask('GET', at);
        if (status >= 500) failures.push(`GET ${at} -> ${text}`);
      }
    }
  }
  expect(failures).toEqual([]);
});
