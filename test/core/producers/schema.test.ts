import { randomUUID } from 'node:crypto';
import { type } from 'arktype';
import type { Namespace, StandardSchema, WorkSpec } from 'pg-coordinate';
import * as v from 'valibot';
import { beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { caught } from '../../database/caught.js';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
const coordinate = await database.connect();
let namespace: Namespace;
beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
});

interface Address {
  [key: string]: unknown;
  url: string;
  address: { zip: string };
  depth: number;
  since: Date;
}
interface Given {
  [key: string]: unknown;
  url: string;
  address: { zip: string };
  depth?: number | undefined;
  since: string;
}

/** The same schema in each library: a default, a transformation, and something deep inside. */
const schemas: Readonly<Record<string, StandardSchema<Given, Address>>> = {
  zod: z.object({
    url: z.string(),
    address: z.object({ zip: z.string().regex(/^\d{5}$/, 'five digits') }),
    depth: z.number().default(3),
    since: z.string().transform((text) => new Date(text)),
  }),
  'zod, asynchronously': z.object({
    url: z.string(),
    address: z.object({ zip: z.string().refine(async (zip) => /^\d{5}$/.test(zip), 'five digits') }),
    depth: z.number().default(3),
    since: z.string().transform(async (text) => new Date(text)),
  }),
  valibot: v.object({
    url: v.string(),
    address: v.object({ zip: v.pipe(v.string(), v.regex(/^\d{5}$/, 'five digits')) }),
    depth: v.optional(v.number(), 3),
    since: v.pipe(v.string(), v.transform((text) => new Date(text))),
  }),
  'valibot, asynchronously': v.objectAsync({
    url: v.string(),
    address: v.objectAsync({ zip: v.pipeAsync(v.string(), v.checkAsync(async (zip) => /^\d{5}$/.test(zip), 'five digits')) }),
    depth: v.optional(v.number(), 3),
    since: v.pipe(v.string(), v.transform((text) => new Date(text))),
  }),
  arktype: type({
    url: 'string',
    address: { zip: type('string').narrow((zip, context) => /^\d{5}$/.test(zip) || context.reject({ message: 'five digits' })) },
    depth: 'number = 3',
    since: type('string').pipe((text) => new Date(text)),
  }),
};

const since = '2020-02-02T00:00:00.000Z';
const good: Given = { url: '/a', address: { zip: '12345' }, since };
const bad: Given = { ...good, address: { zip: 'x' } };
const stored = { url: '/a', address: { zip: '12345' }, depth: 3, since: new Date(since) };

describe.each(Object.entries(schemas))('with a schema of %s', (_, schema) => {
  let spec: WorkSpec<Address, Given>;
  beforeEach(async () => {
    await namespace.setWorkSpec({ name: 'spec' }, { schema });
    spec = await namespace.workSpec('spec', { schema });
  });

  const names = async (): Promise<string[]> => (await spec.workUnits()).map(({ name }) => name);

  test('what the schema makes of the data is stored, however they are added', async () => {
    const unit = await spec.addWorkUnit('one', good);
    await spec.addWorkUnits([{ name: 'array', data: good }]);
    await spec.addWorkUnits(new Set([{ name: 'stream', data: good }]));
    expect(await unit.data()).toEqual(stored);
    for (const each of await spec.workUnits()) expect(await each.data(), each.name).toEqual(stored);
    expect(await names()).toEqual(['array', 'one', 'stream']);
  });

  test('a bad unit is refused, and its member named', async () => {
    const problem = expect.stringContaining('five digits');
    expect(await caught(spec.addWorkUnit('one', bad))).toMatchObject({ code: 'InvalidArgument', details: { field: 'data.address.zip', problem } });
    const error = (await caught(spec.addWorkUnits([{ name: 'a', data: good }, { name: 'b', data: bad }]))) as Error;
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { field: 'units[1].data.address.zip', problem } });
    expect(error.cause).toHaveLength(1);
    expect(await names()).toEqual([]);
    const streamed = await caught(spec.addWorkUnits(new Set([{ name: 'a', data: good }, { name: 'b', data: bad }])));
    expect(streamed).toMatchObject({ details: { field: 'units[1].data.address.zip', problem } });
    expect(await names()).toEqual(['a']);
  });

  test('many at once: those that are good are added', async () => {
    const calls = Array.from({ length: 20 }, (__, index) => spec.addWorkUnit(`unit ${index}`, index % 2 === 0 ? good : bad));
    const statuses = (await Promise.allSettled(calls)).map(({ status }) => status);
    expect(statuses).toEqual(Array.from({ length: 20 }, (__, index) => (index % 2 === 0 ? 'fulfilled' : 'rejected')));
    expect(await names()).toHaveLength(10);
  });

  test('in a transaction of the caller’s it is the same', async () => {
    await coordinate.transaction(async (client) => {
      expect(await caught(spec.addWorkUnit('bad', bad, {}, { client }))).toMatchObject({ details: { field: 'data.address.zip' } });
      await spec.addWorkUnit('good', good, {}, { client });
    });
    expect(await (await spec.workUnit('good')).data()).toEqual(stored);
  });

  test('the attempts have what is stored', async () => {
    await spec.addWorkUnit('one', good);
    const [attempt] = await (await namespace.worker('worker')).requestAttempts({ workSpecs: [spec] });
    expect(attempt?.data.since.getTime()).toBe(Date.parse(since));
    expect(await (await namespace.workSpec('spec')).addWorkUnit('unchecked', bad)).toBeDefined();
  });
});

/** A schema as the specification has it, without a library. */
function schemaOf(validate: StandardSchema<Given, Address>['~standard']['validate']): StandardSchema<Given, Address> {
  return { '~standard': { version: 1, vendor: 'test', validate } };
}

describe('a schema', () => {
  test.each([
    ['no path', [{ message: 'm' }], 'data'],
    ['an empty path', [{ message: 'm', path: [] }], 'data'],
    ['keys that are none', [{ message: 'm', path: [null, { key: null }, {}] as never }], 'data[a key][a key][a key]'],
    ['keys and segments', [{ message: 'm', path: ['list', { key: 3 }, 'a key', { key: Symbol('s') }] }], 'data.list[3]["a key"]["Symbol(s)"]'],
    ['several issues: the first', [{ message: 'm', path: ['a'] }, { message: 'n', path: ['b'] }], 'data.a'],
  ])('may tell of its issue with %s', async (_, issues, field) => {
    const spec = await namespace.setWorkSpec({ name: 'spec' }, { schema: schemaOf(() => ({ issues })) });
    const error = (await caught(spec.addWorkUnit('a', good))) as Error;
    expect(error).toMatchObject({ code: 'InvalidArgument', details: { field, problem: 'm' } });
    expect(error.cause).toBe(issues);
  });

  const thenable = (then: (resolve: (value: unknown) => void) => void): object => ({ then });
  const error = new Error('of the schema');
  test.each([
    ['throws', () => { throw error; }],
    ['rejects', () => Promise.reject(error)],
    ['answers with nothing', () => undefined],
    ['answers with null later', () => Promise.resolve(null)],
    ['has null for issues', () => ({ issues: null })],
    ['has an issue that is none', () => ({ issues: [null] })],
    ['has no issue', () => ({ issues: [] })],
    ['has a path that is none', () => ({ issues: [{ message: 'm', path: 5 }] })],
    ['has a message that is none', () => ({ issues: [{ message: Symbol('m'), path: null }] })],
    ['has a then that throws', () => thenable(() => { throw error; })],
  ])('that %s: the error names the unit', async (_, validate) => {
    const spec = await namespace.setWorkSpec({ name: 'spec' }, { schema: schemaOf(validate as never) });
    const refused = (field: string): object => ({ code: 'InvalidArgument', details: { field } });
    expect(await caught(spec.addWorkUnit('a', good))).toMatchObject(refused('data'));
    expect(await caught(spec.addWorkUnits([{ name: 'a', data: good }]))).toMatchObject(refused('units[0].data'));
    expect(await caught(spec.addWorkUnits(new Set([{ name: 'a', data: good }])))).toMatchObject(refused('units[0].data'));
  });

  test('may answer with a thenable that is no promise', async () => {
    const schema = schemaOf((value) => thenable((resolve) => { resolve({ value }); }) as never);
    const spec = await namespace.setWorkSpec({ name: 'spec' }, { schema });
    expect(await (await spec.addWorkUnit('a', good)).data()).toEqual(good);
  });

  test('that takes time keeps the order of calls of one name, and keeps no other waiting; closing waits for it', async () => {
    const answers: (() => void)[] = [];
    const schema = schemaOf((value) => new Promise((resolve) => answers.push(() => resolve({ value: value as Address }))));
    await namespace.setWorkSpec({ name: 'spec' });
    const other = await database.connect();
    const spec = await (await other.namespace(namespace.name)).workSpec('spec', { schema });
    const given = (n: number): Given => ({ ...good, depth: n });
    const calls = [spec.addWorkUnit('a', given(1)), spec.addWorkUnit('a', given(2)), spec.addWorkUnit('b', given(3))];
    answers[2]!();
    await calls[2];
    answers[1]!();
    const closing = other.close();
    answers[0]!();
    await Promise.all([...calls, closing]);
    expect(await (await (await namespace.workSpec('spec')).workUnit('a')).data()).toMatchObject({ depth: 2 });
  });

  test('that makes of data what cannot be stored is told so', async () => {
    const schema = schemaOf(() => ({ value: { url: () => 0 } as unknown as Address }));
    const spec = await namespace.setWorkSpec({ name: 'spec' }, { schema });
    expect(await caught(spec.addWorkUnits([{ name: 'a', data: good }]))).toMatchObject({ details: { field: 'units[0].data.url' } });
  });

  test('must be one', async () => {
    await namespace.setWorkSpec({ name: 'spec' });
    for (const schema of [null, {}, 5, 'zod', () => true, { '~standard': null }, { '~standard': { version: 2, validate: () => ({}) } }]) {
      for (const call of [namespace.setWorkSpec({ name: 'new' }, { schema } as never), namespace.workSpec('spec', { schema } as never)]) {
        expect(await caught(call)).toMatchObject({ code: 'InvalidArgument', details: { field: 'options.schema' } });
      }
    }
    expect(await caught(namespace.workSpec('spec', { shema: schemas.zod } as never))).toMatchObject({ details: { field: 'options.shema' } });
    expect(await namespace.workSpecNames()).toEqual(['spec']);
  });
});
