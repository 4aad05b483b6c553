import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { schemas, type SchemaName } from '../../../src/rest/server/openapi/schemas.js';
import { routes } from '../../../src/rest/server/routes.js';
import { eventFromBody, eventToBody } from '../../../src/rest/wire/index.js';
import { serving } from './serving.js';

const { ask } = await serving({ requestsPerSecond: 0 });
const document = (await ask('GET', '/openapi.json')).json;

/** Formats and what is beside JSON Schema in OpenAPI are no errors; members that a schema does not know of are. */
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ $id: 'root', components: { schemas: closed(schemas) } });

function closed(schema: any): any {
  if (Array.isArray(schema)) return schema.map(closed);
  if (typeof schema !== 'object' || schema === null) return schema;
  const members = Object.fromEntries(Object.entries(schema).map(([name, member]) => [name, closed(member)]));
  return schema.type === 'object' && 'required' in schema ? { ...members, additionalProperties: false } : members;
}

function problemsOf(name: SchemaName, body: unknown): string {
  const validate = ajv.getSchema(`root#/components/schemas/${name}`)!;
  return validate(body) === true ? '' : `${name}: ${ajv.errorsText(validate.errors)} in ${JSON.stringify(body)}`;
}

const N = '/namespace/n';
const S = `${N}/work_spec/s`;
const U = `${S}/work_unit/u`;
const W = `${N}/worker/w`;

const zero = '0001-01-01T00:00:00Z';
const unitMeta = { priority: 2.5, not_before: zero };
const unit = (name: string): object => ({ name, data: { x: 1 }, meta: unitMeta });

/** A tour through all that can be done, in an order in which it can be; `A` stands for the path of a pending attempt. */
const tour: readonly (readonly [method: string, path: string, body?: unknown])[] = [
  ['GET', '/'],
  ['POST', '/namespace', { name: 'n' }],
  ['GET', '/namespace'],
  ['GET', N],
  ['GET', `${N}/events`],
  ['POST', `${N}/work_spec`, { data: { name: 's' } }],
  ['GET', `${N}/work_spec`],
  ['PUT', S, { data: { name: 's', continuous: true, min_gb: 1 } }],
  ['GET', S],
  ['PUT', `${S}/meta`, { priority: 1, weight: 20, paused: false, continuous: false, interval: 0, next_continuous: zero, max_running: 0, min_memory_gb: 0.5 }],
  ['PATCH', `${S}/meta`, { weight: 30 }],
  ['GET', `${S}/meta?counts=true`],
  ['POST', `${S}/work_unit`, unit('u')],
  ['POST', `${S}/work_units`, { work_units: [unit('v'), { name: 'w' }] }],
  ['GET', `${S}/work_unit?status=available`],
  ['POST', `${S}/change?name=u`, { meta: { priority: 5 } }],
  ['POST', `${S}/adjust?name=u`, { meta: { priority: 1 } }],
  ['PUT', U, { meta: unitMeta }],
  ['GET', `${S}/counts`],
  ['GET', `${S}/summary`],
  ['GET', `${N}/summary`],
  ['GET', '/summary'],
  ['PUT', W, { active: true, mode: 'm', data: { a: 1 }, expiration: '2026-11-20T10:00:00Z', last_update: '2026-11-20T08:00:00Z', parent: 'boss' }],
  ['GET', W],
  ['GET', `${N}/worker/boss`],
  ['GET', `${N}/worker?active=true`],
  ['POST', `${W}/request_attempts`, { number_of_work_units: 1, lifetime: 60e9, work_specs: ['s'], runtimes: [''], available_gb: 8 }],
  ['POST', `${W}/request_attempts`, { work_specs: ['nothing'] }],
  ...['renew', 'retry', 'expire', 'fail', 'finish'].flatMap((action): [string, string, unknown][] => [
    ['POST', `${W}/make_attempt`, { work_spec: 's', work_unit: 'u', lifetime: 60e9 }],
    ['POST', `A/${action}`, { data: { done: true }, extend_duration: 1e9, delay: 0 }],
  ]),
  ['POST', `${W}/make_attempt`, { work_spec: 's', work_unit: 'u' }],
  ['POST', `${W}/make_attempts`, { work_units: [{ work_spec: 's', work_unit: 'v' }], lifetime: 60e9 }],
  ['GET', 'A'],
  ['GET', U],
  ['GET', `${U}/explain`],
  ['GET', `${S}/read?with=data&with=own_data&with=attempts&limit=1`],
  ['GET', `${N}/oldest_waiting`],
  ['GET', '/time'],
  ['GET', `${U}/attempts`],
  ['GET', `${U}/num-attempts`],
  ['GET', `${W}/active_attempts`],
  ['GET', `${W}/all_attempts?limit=2`],
  ['GET', `${N}/worker/boss/child_attempts`],
  ['POST', `${U}/cancel`, { reason: 'enough' }],
  ['POST', `${W}/make_attempt`, { work_spec: 's', work_unit: 'u' }],
  ['POST', `${N}/attempt_reports`, { reports: [{ action: 'finish', url: 'A', data: { y: 2 } }, { action: 'finish', url: `${U}/attempt/w/999` }] }],
  ['DELETE', U],
  ['DELETE', `${S}/work_unit?name=v`],
  ['DELETE', S],
  ['DELETE', N],
];

/** The row of the table that a path goes to. */
function operationOf(method: string, path: string): { template: string; operation: any } {
  const [segments] = path.split('?');
  const found = routes.find((route) => new RegExp(`^${route.path.replaceAll(/:\w+/g, '[^/]+')}$`).test(segments!));
  return { template: found!.path, operation: found!.operations.get(method) };
}

describe('the description', () => {
  test('is OpenAPI 3.1', async () => {
    const result = await new Validator().validate(structuredClone(document));
    expect(result).toMatchObject({ valid: true });
    expect(document.openapi).toBe('3.1.0');
  });

  test('has every route and every method that there are, each with its role and a name of its own', () => {
    const described = Object.entries<any>(document.paths).flatMap(([path, item]) =>
      Object.entries<any>(item).filter(([name]) => name !== 'parameters').map(([method, operation]) => `${method.toUpperCase()} ${path} ${operation['x-role']}`),
    );
    const served = routes.flatMap((route) =>
      [...route.operations].map(([method, { needs }]) => `${method} ${route.path.replaceAll(/:(\w+)/g, '{$1}')} ${needs}`),
    );
    expect(described.toSorted()).toEqual(served.toSorted());
    const ids = Object.values<any>(document.paths).flatMap((item) => Object.values<any>(item).flatMap(({ operationId }) => operationId ?? []));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBe(served.length);
  });

  test('says what is answered and what is taken, all the way through', async () => {
    const seen = new Set<string>();
    let attempt = '';
    const problems: string[] = [];
    for (const [method, template, sent] of tour) {
      const path = template.replace(/^A/, attempt);
      const body = sent === undefined ? undefined : JSON.parse(JSON.stringify(sent).replaceAll('"A"', JSON.stringify(attempt)));
      const { template: row, operation } = operationOf(method, path);
      seen.add(`${method} ${row}`);
      if (operation.takes !== undefined) problems.push(problemsOf(operation.takes, body));
      const { status, text, headers } = await ask(method, path, { body });
      const hasBody = operation.answers !== undefined || operation.streams !== undefined;
      const expected = !hasBody ? 204 : operation.creates ? 201 : 200;
      if (status !== expected) problems.push(`${method} ${path} answers ${status} ${text}`);
      if (operation.creates && headers.get('location') === null) problems.push(`${method} ${path} has no Location`);
      if (operation.answers !== undefined && text !== '') problems.push(problemsOf(operation.answers, JSON.parse(text)));
      if (row.endsWith('/make_attempt')) attempt = JSON.parse(text).url;
    }
    expect(problems.filter((problem) => problem !== '')).toEqual([]);
    const all = routes.flatMap((route) => [...route.operations.keys()].map((method) => `${method} ${route.path}`));
    expect([...seen].toSorted()).toEqual(all.toSorted());
  });

  test('says what events are', () => {
    const attempt = { workSpec: 's', workUnit: 'u', attempt: 1, worker: 'w', time: new Date(0) };
    const events = [{ kind: 'missed' }, { kind: 'added', workSpec: 's', count: 2 }, { kind: 'finished', ...attempt }] as const;
    expect(events.map((event) => problemsOf('Event', eventToBody(event)))).toEqual(['', '', '']);
    expect(events.map((event) => eventFromBody({ ...eventToBody(event) }))).toEqual(events);
  });

  test('says what errors are', async () => {
    expect(problemsOf('Error', (await ask('GET', `${N}/work_spec/gone`)).json)).toBe('');
    expect(problemsOf('Error', (await ask('PATCH', '/')).json)).toBe('');
  });
});

function alternativesOf(schema: any): any[] {
  return schema.anyOf?.flatMap(alternativesOf) ?? [schema];
}

/** A value that a schema does not allow; undefined where there is none, or none that is easily found. */
function wrongFor(schema: any): unknown {
  const alternatives = alternativesOf(schema);
  if (alternatives.some(({ $ref }) => $ref !== undefined)) return 'x';
  if (alternatives.some(({ type }) => type === 'object')) return 7;
  const types = alternatives.map(({ type, enum: words }) => type ?? (words ? 'string' : undefined));
  if (types.includes('string')) return 7;
  return types.some((type) => ['integer', 'number', 'boolean', 'array'].includes(type)) ? 'x' : undefined;
}

describe('what the schema of a request forbids is refused', () => {
  beforeAll(async () => {
    await ask('POST', `${N}/work_spec`, { body: { data: { name: 's' } } });
    await ask('POST', `${S}/work_unit`, { body: { name: 'u' } });
  });
  const attempt = async (): Promise<string> => (await ask('POST', `${W}/make_attempt`, { body: { work_spec: 's', work_unit: 'u' } })).json.url;

  const cases = tour.flatMap(([method, template, sent]) => {
    const takes: SchemaName | undefined = operationOf(method, template.replace(/^A/, `${U}/attempt/w/1`)).operation.takes;
    if (takes === undefined) return [];
    const { properties } = schemas[takes] as any;
    return Object.keys(properties).map((member) => [method, template, member, takes, sent] as const);
  });
  const unlike = new Map(cases.map((row) => [`${row[0]} ${row[1]} ${row[2]}`, row]));
  // Whatever it is but "-", it is what the client was told once.
  const passedOver = new Set(['active_attempt_url']);

  test.each([...unlike.values()].filter(([, , member]) => !passedOver.has(member)))('%s %s: %s', async (method, template, member, takes, sent) => {
    const value = wrongFor((schemas[takes] as any).properties[member]);
    const body = { ...(sent as object), [member]: value };
    expect(value === undefined ? '' : problemsOf(takes, body)).not.toBe('');
    const { status } = await ask(method, template.startsWith('A') ? template.replace('A', await attempt()) : template, { body });
    expect(status).toBe(400);
  });
});

describe('the page for people', () => {
  test('has all of it, and loads and runs nothing', async () => {
    const { text, headers, status } = await ask('GET', '/docs', { headers: { accept: 'text/html' } });
    expect([status, headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const { path, operations } of routes) if (operations.size > 0) expect(text).toContain(`<code>${path}</code>`);
    for (const name of Object.keys(schemas)) expect(text).toContain(`id="${name}"`);
    for (const [, target] of text.matchAll(/href="#(\w+)"/g)) expect(schemas).toHaveProperty(target!);
    expect(text).not.toMatch(/<script|src=|https?:|@import/i);
    expect(headers.get('content-security-policy')).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; /);
  });

  test('is linked from the root, as is the description', async () => {
    const { json } = await ask('GET', '/');
    expect([(await ask('GET', json.docs_url)).status, (await ask('GET', json.openapi_url)).headers.get('content-type')]).toEqual([
      200,
      'application/json; charset=utf-8',
    ]);
  });
});
