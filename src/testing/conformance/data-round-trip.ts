import assert from 'node:assert/strict';
import { CborFloat, CborSimple, PythonTuple, Tagged, Uuid, type DataDictionary } from '../../codec/index.js';
import { cases, type ConformanceContext } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, heldUnit, leaseMs, specWith } from './set-up.js';

/** Written and read back by every place that holds data. */
const values: Readonly<Record<string, DataDictionary>> = {
  'nothing at all': {},
  'null, which is not absent': { none: null },
  'the empty list, which is not null': { empty: [], none: null, nested: [[], null, [[]]] },
  'the empty map and the empty text': { map: {}, text: '', list: [{}] },
  'true and false': { yes: true, no: false },
  integers: { zero: 0, one: 1, negative: -1, large: Number.MAX_SAFE_INTEGER, small: Number.MIN_SAFE_INTEGER, mid: 4294967296 },
  'floats, which are not integers': {
    half: 1.5,
    one: new CborFloat(1),
    zero: new CborFloat(0),
    large: new CborFloat(-1e15),
    integer: 1,
    list: [new CborFloat(2), 2],
  },
  'floats beyond the ordinary': { nan: NaN, infinite: Infinity, negative: -Infinity, zero: -0, tiny: 5e-324, huge: 1.7e308 },
  'integers of 64 bits': {
    beyond: 2n ** 53n,
    signed: 2n ** 63n - 1n,
    unsigned: 2n ** 64n - 1n,
    negative: -(2n ** 63n),
    lowest: -(2n ** 64n),
    list: [2n ** 60n],
  },
  'byte strings, which are not text': { bytes: new Uint8Array([0, 1, 127, 128, 255]), none: new Uint8Array(), text: 'abc' },
  dates: { date: new Date('2015-11-20T14:01:01.123Z'), epoch: new Date(0), old: new Date('1901-02-03T04:05:06Z') },
  UUIDs: { id: Uuid.fromString('01234567-89ab-cdef-0123-456789abcdef'), list: [new Uuid(new Uint8Array(16))] },
  'Python tuples, which are not lists': {
    empty: new PythonTuple([]),
    pair: new PythonTuple(['a', new PythonTuple([1, null])]),
    list: ['a', [1, null]],
  },
  'the key __proto__': JSON.parse('{"__proto__": {"x": 1}, "deep": {"__proto__": null}}') as DataDictionary,
  'keys that objects inherit': JSON.parse('{"constructor": 1, "toString": 2, "": 3, "hasOwnProperty": 4}') as DataDictionary,
  'keys of any text': { 'a b': 1, 'é😀': 2, 'a.b[0]': 3, 'nul\0': 4, '1': 5, '\ufeffmark': 6 },
  'text of any kind': { nul: 'a\0b', emoji: '😀', mark: '\ufeffx', long: 'x'.repeat(20_000), quote: `'"\\` },
  'maps whose keys are not text': { map: new Map<unknown, unknown>([[1, 'one'], [null, 2]]) },
  'tags and simple values of no meaning': { tagged: new Tagged(4711, [1, 'x']), simple: new CborSimple(23) },
  'maps within lists within maps': { a: { b: [{ c: { d: [1, [2, { e: null }]] } }] } },
};

/** Every place that holds data: writes a dictionary there and reads it back. */
const places: Readonly<Record<string, (context: ConformanceContext, data: DataDictionary) => Promise<DataDictionary | null>>> = {
  'a work spec': async ({ namespace }, data) => {
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.setData({ name: 'spec', config: data });
    return (await (await namespace.workSpec('spec')).data()).config as DataDictionary;
  },
  'a work unit': async ({ namespace }, data) => {
    const spec = await specWith(namespace, []);
    await spec.addWorkUnit('a', data);
    return (await spec.workUnit('a')).data();
  },
  'an attempt': async ({ namespace }, data) => {
    const { attempt } = await heldUnit(namespace);
    await attempt.renew(leaseMs, data);
    return (await attempt.read()).data;
  },
  'a worker': async ({ namespace }, data) => {
    await (await namespace.worker('worker')).update({ data });
    return (await (await namespace.worker('worker')).read()).data;
  },
};

const roundTrips = Object.keys(places).flatMap((place) =>
  Object.keys(values).map((value) => [`${place} keeps ${value}`, roundTrip(place, value)] as const),
);

function roundTrip(place: string, value: string) {
  return async (context: ConformanceContext): Promise<void> => {
    const data = values[value] as DataDictionary;
    assertSameData(await places[place]?.(context, data), data);
  };
}

export const dataRoundTripCases = cases('Objects', {
  ...Object.fromEntries(roundTrips),

  'data given to addWorkUnits come out of the attempt unchanged': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const units = Object.entries(values).map(([name, data]) => ({ name, data }));
    await spec.addWorkUnits(units);
    const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: units.length });
    assert.equal(attempts.length, units.length);
    for (const { workUnit, data } of attempts) assertSameData(data, values[workUnit.name], workUnit.name);
  },

  'data of a report are kept unchanged': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd']);
    const worker = await namespace.worker('worker');
    const data = { ...values['integers of 64 bits'], ...values['Python tuples, which are not lists'], none: null };
    await (await claim(worker)).finish(data);
    await (await claim(worker)).fail(data);
    await (await claim(worker)).expire(data);
    await spec.deleteWorkUnits({ names: ['c'] });
    const retried = await claim(worker);
    await retried.retry(data);
    for (const name of ['a', 'b']) assertSameData(await (await spec.workUnit(name)).data(), data, name);
    assertSameData((await retried.read()).data, data);
  },

  'a member that is undefined is absent': async ({ namespace }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', desc: undefined });
    assertSameData(await spec.data(), { name: 'spec' });
    const unit = await spec.addWorkUnit('a', { x: undefined, y: { z: undefined } });
    assertSameData(await unit.data(), { y: {} });
  },

  'data are a copy: later changes to an object given or received change nothing': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const given = { list: [1], map: { x: 1 }, bytes: new Uint8Array([1]), date: new Date(0) };
    const unit = await spec.addWorkUnit('a', given);
    for (const data of [given, (await unit.data()) as typeof given]) {
      data.list.push(2);
      data.map.x = 2;
      data.bytes[0] = 2;
      data.date.setTime(2);
    }
    assertSameData(await unit.data(), { list: [1], map: { x: 1 }, bytes: new Uint8Array([1]), date: new Date(0) });
  },
});
