import assert from 'node:assert/strict';
import type { DataDictionary } from '../../codec/index.js';
import type { StandardSchema } from '../../core/schema/standard-schema.js';
import { raises } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { namesOf } from './set-up.js';

type Given = Readonly<Record<string, unknown>> & { readonly url: string; readonly depth?: number };

/** Takes data with a text `url`; `depth` is 3 if it is left out. */
const schema: StandardSchema<Given, DataDictionary> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate: (value) => {
      const data = value as DataDictionary;
      if (typeof data.url === 'string') return { value: { depth: 3, ...data } };
      return { issues: [{ message: 'must be text', path: [{ key: 'url' }] }] };
    },
  },
};

/** The same, later. */
const slowSchema: StandardSchema<Given, DataDictionary> = {
  '~standard': { ...schema['~standard'], validate: async (value) => schema['~standard'].validate(value) },
};

const bad = { url: 5 } as unknown as Given;

export const schemaCases = cases(
  'Work spec',
  Object.fromEntries(
    Object.entries({ 'a schema': schema, 'a schema that takes its time': slowSchema }).flatMap(([name, each]) => [
      [
        `what ${name} makes of data is stored`,
        async ({ namespace }) => {
          const spec = await namespace.setWorkSpec({ name: 'spec' }, { schema: each });
          const same = await namespace.workSpec('spec', { schema: each });
          const unit = await spec.addWorkUnit('a', { url: '/a' });
          await same.addWorkUnits([{ name: 'b', data: { url: '/b', depth: 1 } }]);
          await same.addWorkUnits(new Set([{ name: 'c', data: { url: '/c' } }]));
          assertSameData(await unit.data(), { depth: 3, url: '/a' });
          const units = await spec.workUnits();
          assertSameData((await Promise.all(units.map((one) => one.data()))).map(({ depth }) => depth), [3, 1, 3]);
        },
      ],
      [
        `data that ${name} does not take are refused, all of an array`,
        async ({ namespace }) => {
          const spec = await namespace.setWorkSpec({ name: 'spec' }, { schema: each });
          const good = { url: '/' };
          await raises('InvalidArgument', () => spec.addWorkUnit('a', bad));
          const units = [{ name: 'a', data: good }, { name: 'b', data: bad }];
          const error = await raises('InvalidArgument', () => spec.addWorkUnits(units));
          assertSameData(error.details, { field: 'units[1].data.url', problem: 'must be text' });
          assert.deepEqual(namesOf(await spec.workUnits()), []);
          await raises('InvalidArgument', () => spec.addWorkUnits(new Set(units)));
          assert.deepEqual(namesOf(await spec.workUnits()), ['a']);
        },
      ],
    ]),
  ),
);
