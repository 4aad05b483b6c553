import fc from 'fast-check';
import { CborFloat, PythonTuple, Uuid, type DataDictionary } from '../../src/codec/index.js';
import type { WorkUnitQuery } from '../../src/core/work-spec/work-unit-query.js';
import { workUnitStatuses } from '../../src/core/work-unit/work-unit-status.js';
import type { WorkUnitMeta } from '../../src/core/work-unit/work-unit.js';

/** When every sequence starts. Not a whole second, so that the names of continuous units show their milliseconds. */
export const START = new Date('2001-02-03T04:05:06.070Z');

/** Few names, so that commands meet; the first of each much more often, so that something comes of it. */
export const namespaceNames = weightedNames([30, ''], [1, 'other']);
// Bytewise order is not that of JavaScript strings, nor that of any locale: U+FF5E sorts before U+1F600, "Z" before "u".
export const workSpecNames = weightedNames([12, 'a'], [6, 'b'], [1, '\u{ff5e}'], [1, '\u{1f600}']);
export const workerNames = weightedNames([4, 'w'], [2, 'x'], [1, '\u{ff5e}'], [1, '\u{1f600}']);
export const unitNames = weightedNames<string | Uint8Array>([6, 'u'], [6, 'Z'], [2, '\u{ff5e}'], [2, '\u{1f600}'], [1, Uint8Array.of(0xff, 0)]);

/** Names that no unit can be given. */
export const badUnitNames = fc.constantFrom('', new Uint8Array(), 'x'.repeat(1001), '\u00e4'.repeat(501));

export const data: fc.Arbitrary<DataDictionary> = fc.oneof(
  { weight: 4, arbitrary: fc.nat(3).map((x) => ({ x })) },
  { weight: 1, arbitrary: fc.constant({}) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...oneOfEachKind()).map((value) => ({ value, nested: { list: [value] } })) },
);

function oneOfEachKind(): unknown[] {
  const proto: unknown = JSON.parse('{"__proto__": {"x": null}}');
  const uuid = Uuid.fromString('9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07');
  const date = new Date('1999-12-31T23:59:59.999Z');
  return [null, [], 1.5, new CborFloat(1), 2 ** 53, 2n ** 60n, Uint8Array.of(0, 255), date, uuid, new PythonTuple([1, []]), proto, true, ''];
}

/** Data as a worker reports them: mostly with output for the next work spec. */
export const reportedData: fc.Arbitrary<DataDictionary> = fc.oneof(
  data,
  outputMap().map((output) => ({ output })),
  { weight: 2, arbitrary: outputList().map((output) => ({ output })) },
);

function outputMap(): fc.Arbitrary<unknown> {
  const textNames = unitNames.filter((name) => typeof name === 'string');
  const members = fc.oneof({ weight: 5, arbitrary: data }, fc.constant(null));
  return fc.dictionary(textNames, members, { maxKeys: 3, noNullPrototype: true });
}

function outputList(): fc.Arbitrary<unknown> {
  const meta = fc.constantFrom<unknown>(null, {}, { priority: 2 }, { delay: 1 }, { delay: 0.5, priority: new CborFloat(1) }, { delay: 'x' });
  const item = fc.oneof(
    unitNames,
    fc.tuple(unitNames, data),
    fc.tuple(unitNames, data, meta),
    fc.tuple(unitNames, data, meta, fc.constantFrom<unknown>(null, -1, 3, 'x')),
    fc.tuple(unitNames, data).map((members) => new PythonTuple(members)),
    fc.constantFrom<unknown>('', 7, ['u']),
  );
  const items = fc.array(item, { maxLength: 4 });
  return fc.oneof(items, items.map((list) => new PythonTuple(list)));
}

/** The definition of a work spec, with a few of the keys that the scheduler reads, now and then of the wrong type. */
export function definition(name: string): fc.Arbitrary<DataDictionary> {
  const keys = fc.record(
    {
      priority: fc.constantFrom<unknown>(0, 1, 1.9, 'x'),
      weight: fc.constantFrom<unknown>(1, 3, 0, -2, null),
      nice: fc.constantFrom<unknown>(5, 30, true),
      disabled: fc.constantFrom<unknown>(false, false, false, true, 1),
      continuous: fc.constantFrom<unknown>(true, true, false, 'x'),
      interval: fc.constantFrom<unknown>(0, 1, 0.25, new CborFloat(60), 'x'),
      max_running: fc.constantFrom<unknown>(0, 1, 2, 3, -1),
      max_getwork: fc.constantFrom<unknown>(0, 1, 2, []),
      max_retries: fc.constantFrom<unknown>(0, 1, 2, {}),
      min_gb: fc.constantFrom<unknown>(0, 1.5, 2),
      then: fc.constantFrom<unknown>('a', 'b', 'b', '\u{ff5e}', 'no such spec', 7),
      runtime: fc.constantFrom<unknown>('', 'js', null),
      config: data,
    },
    { noNullPrototype: true },
  );
  return fc.tuple(keys, definitionKeys).map(([all, chosen]) => ({
    name,
    ...Object.fromEntries(Object.entries(all).filter(([key]) => chosen.includes(key))),
  }));
}

/** Drawn apart from the values: a spec with nearly every key at once hardly ever runs, and some keys mean little without another. */
const definitionKeys: fc.Arbitrary<string[]> = fc
  .tuple(
    fc.subarray(['priority', 'weight', 'nice', 'disabled', 'max_running', 'max_getwork', 'max_retries', 'min_gb', 'runtime', 'config'], {
      maxLength: 2,
    }),
    fc.constantFrom([], ['then']),
    fc.constantFrom([], [], ['continuous', 'interval']),
  )
  .map((groups) => groups.flat());

export const priority = fc.constantFrom(0, 0, 1, -1, 2.5);
export const badPriority = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY);

/** Sometimes delayed, from the start of the sequence on. */
export const unitMeta: fc.Arbitrary<Partial<WorkUnitMeta> | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.record(
    { priority, notBefore: fc.option(fc.constantFrom(0, 500, 3000, 100_000).map((ms) => new Date(START.getTime() + ms))) },
    { requiredKeys: [], noNullPrototype: true },
  ),
);

export const query: fc.Arbitrary<WorkUnitQuery> = fc.record(
  {
    names: fc.array(fc.oneof({ weight: 8, arbitrary: unitNames }, fc.constant('no such unit')), { maxLength: 3 }),
    statuses: fc.subarray([...workUnitStatuses]),
    previousName: unitNames,
    limit: fc.nat(3),
  },
  { requiredKeys: [], noNullPrototype: true },
);

/** Undefined: the default, 15 minutes. */
export const lifetimeMs = fc.constantFrom(undefined, 1000, 1000, 5000, 60_000);

/** Up to the end of a lease, exactly to it, and past it. */
export const clockStepMs = fc.constantFrom(1, 250, 500, 999, 1000, 1001, 5000, 60_000, 15 * 60_000, 15 * 60_000 + 1);

function weightedNames<T>(...names: readonly (readonly [weight: number, name: T])[]): fc.Arbitrary<T> {
  return fc.oneof(...names.map(([weight, name]) => ({ weight, arbitrary: fc.constant(name) })));
}
