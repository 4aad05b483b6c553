import assert from 'node:assert/strict';
import { CborFloat, PythonTuple } from '../../codec/index.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import { assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { heldUnit, namesOf, secondMs } from './set-up.js';

/** Finishes a unit with this output; gives back the spec the output went to. */
async function afterOutput(namespace: Namespace, output: unknown): Promise<WorkSpec> {
  const next = await namespace.setWorkSpec({ name: 'next' });
  const { attempt, unit } = await heldUnit(namespace, { then: 'next' });
  await attempt.finish({ output });
  await assertUnitStatus(unit, 'finished');
  return next;
}

async function dataOf(spec: WorkSpec): Promise<Record<string, unknown>> {
  const units = await spec.workUnits();
  return Object.fromEntries(await Promise.all(units.map(async (unit) => [unit.name, await unit.data()] as const)));
}

async function prioritiesOf(spec: WorkSpec): Promise<Record<string, number>> {
  const units = await spec.workUnits();
  return Object.fromEntries(await Promise.all(units.map(async (unit) => [unit.name, await unit.priority()] as const)));
}

export const chainingOutputCases = cases('Chaining', {
  'output may be a map of names to data': async ({ namespace }) => {
    const next = await afterOutput(namespace, { a: { x: [null, 1] }, 'é b': {} });
    assertSameData(await dataOf(next), { a: { x: [null, 1] }, 'é b': {} });
  },

  'output may be a list of names, whose data are empty': async ({ namespace }) => {
    const next = await afterOutput(namespace, ['b', 'a', '']);
    assertSameData(await dataOf(next), { a: {}, b: {} });
  },

  'output may be a tuple': async ({ namespace }) => {
    const next = await afterOutput(namespace, new PythonTuple(['a', ['b', { x: 1 }]]));
    assertSameData(await dataOf(next), { a: {}, b: { x: 1 } });
  },

  'names in output may be bytes': async ({ namespace }) => {
    const next = await afterOutput(namespace, [new Uint8Array([0, 0xff]), [new Uint8Array([97]), { x: 1 }]]);
    const keys = (await next.workUnits()).map(({ key }) => Buffer.from(key).toString('hex'));
    assert.deepEqual(keys, ['00ff', '61']);
    assertSameData(await (await next.workUnit('a')).data(), { x: 1 });
  },

  'items of output may be lists or tuples of a name and data': async ({ namespace }) => {
    const next = await afterOutput(namespace, [['a', { x: 1 }], new PythonTuple(['b', { x: new PythonTuple([2]) }]), 'c']);
    assertSameData(await dataOf(next), { a: { x: 1 }, b: { x: new PythonTuple([2]) }, c: {} });
  },

  'the third item may give a priority': async ({ namespace }) => {
    const next = await afterOutput(namespace, [
      ['a', {}, { priority: 2.5 }],
      new PythonTuple(['b', {}, { priority: new CborFloat(3) }]),
      ['c', {}, { priority: -1, other: 'ignored' }],
      ['d', {}, {}],
      ['e', {}, null],
    ]);
    assert.deepEqual(await prioritiesOf(next), { a: 2.5, b: 3, c: -1, d: 0, e: 0 });
  },

  'the third item may give a delay in seconds': async ({ namespace, clock }) => {
    const next = await afterOutput(namespace, [
      ['a', {}, { delay: 90 }],
      ['b', {}, { delay: new CborFloat(90), priority: 1 }],
      ['c', {}, { delay: 0 }],
    ]);
    for (const name of ['a', 'b']) {
      const unit = await next.workUnit(name);
      assert.deepEqual((await unit.meta()).notBefore, new Date(clock.now().getTime() + 90 * secondMs));
      await assertUnitStatus(unit, 'delayed');
    }
    await assertUnitStatus(await next.workUnit('c'), 'available');
    clock.advance(90 * secondMs);
    assertSameData(await next.countWorkUnitStatus(), { available: 3 });
  },

  'the fourth item outranks the priority of the third': async ({ namespace }) => {
    const next = await afterOutput(namespace, [
      ['a', {}, { priority: 1 }, 5],
      ['b', {}, { priority: 1 }, null],
      ['c', {}, null, 0.5],
      ['d', {}, { priority: 1 }, 0],
      new PythonTuple(['e', {}, {}, new CborFloat(-2)]),
    ]);
    assert.deepEqual(await prioritiesOf(next), { a: 5, b: 1, c: 0.5, d: 0, e: -2 });
  },

  'of the same name twice in output the last counts': async ({ namespace }) => {
    const next = await afterOutput(namespace, [
      ['a', { n: 1 }, { priority: 9, delay: 90 }],
      ['b', { n: 2 }],
      [new Uint8Array([97]), { n: 3 }],
      'b',
    ]);
    assertSameData(await dataOf(next), { a: { n: 3 }, b: {} });
    assert.deepEqual(await prioritiesOf(next), { a: 0, b: 0 });
    await assertUnitStatus(await next.workUnit('a'), 'available');
  },

  'items of a list that can not be read are skipped': async ({ namespace }) => {
    const next = await afterOutput(namespace, [
      'a',
      null,
      5,
      true,
      {},
      [],
      ['too short'],
      [null, {}],
      [7, {}],
      ['', {}],
      ['x'.repeat(1001), {}],
      ['data are no map', 5],
      ['data are a list', [1]],
      new PythonTuple([]),
      ['b', {}],
    ]);
    assert.deepEqual(namesOf(await next.workUnits()), ['a', 'b']);
  },

  'members of a map that can not be read are skipped': async ({ namespace }) => {
    const next = await afterOutput(namespace, { a: {}, b: 5, c: [1], d: 'text', '': {}, ['x'.repeat(1001)]: {}, e: { x: 1 } });
    assertSameData(await dataOf(next), { a: {}, e: { x: 1 } });
  },

  'a name of 1,000 bytes is a name in output too': async ({ namespace }) => {
    const next = await afterOutput(namespace, ['x'.repeat(1000), '€'.repeat(334)]);
    assert.deepEqual(namesOf(await next.workUnits()), ['x'.repeat(1000)]);
  },

  'a name in output may be __proto__': async ({ namespace }) => {
    const next = await afterOutput(namespace, JSON.parse('{"__proto__": {"x": 1}, "constructor": {}}'));
    assert.deepEqual(namesOf(await next.workUnits()), ['__proto__', 'constructor']);
    assertSameData(await (await next.workUnit('__proto__')).data(), { x: 1 });
  },

  'output that is neither a map nor a list is no error': async ({ namespace }) => {
    for (const output of [null, 5, 'name', true, new Uint8Array([97]), [], {}, new PythonTuple([])]) {
      const next = await afterOutput(namespace, output);
      assert.deepEqual(await next.workUnits(), []);
      await namespace.destroyWorkSpec('spec');
    }
  },
});
