import assert from 'node:assert/strict';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../../core/work-spec/work-unit-query.js';
import { assertActive, raises, raisesGone } from './assertions.js';
import { cases, type ConformanceContext } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, heldUnit, minuteMs, namesOf, specWith } from './set-up.js';

async function found(spec: WorkSpec, query?: WorkUnitQuery): Promise<string> {
  return namesOf(await spec.workUnits(query)).join(' ');
}

/** The units a1 … d2: a is available, d delayed, p pending, f finished and x failed. */
async function oneOfEach({ namespace, clock }: Pick<ConformanceContext, 'namespace' | 'clock'>): Promise<WorkSpec> {
  const spec = await specWith(namespace, ['f', 'p', 'x']);
  const worker = await namespace.worker('worker');
  const [f, , x] = await worker.requestAttempts({ numberOfWorkUnits: 3 });
  await f?.finish();
  await x?.fail();
  await spec.addWorkUnit('a', {});
  await spec.addWorkUnit('d', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
  return spec;
}

async function priorities(spec: WorkSpec): Promise<string> {
  const units = await spec.workUnits();
  return (await Promise.all(units.map(async (unit) => `${unit.name}=${await unit.priority()}`))).join(' ');
}

async function letters(namespace: Namespace): Promise<WorkSpec> {
  return specWith(namespace, ['c', 'a', 'e', 'b', 'd']);
}

export const queryCases = cases('Work spec', {
  'an empty query means all units, in order of name': async ({ namespace }) => {
    const spec = await letters(namespace);
    assert.equal(await found(spec), 'a b c d e');
    assert.equal(await found(spec, {}), 'a b c d e');
    assert.equal(await found(await specWith(namespace, [], { name: 'empty' })), '');
  },

  'names choose units; unknown ones are simply absent': async ({ namespace }) => {
    const spec = await letters(namespace);
    assert.equal(await found(spec, { names: ['d', 'missing', 'a', new Uint8Array([98])] }), 'a b d');
    assert.equal(await found(spec, { names: ['a', 'a', new Uint8Array([97])] }), 'a');
    assert.equal(await found(spec, { names: ['missing'] }), '');
  },

  'an empty list of names or statuses chooses nothing': async ({ namespace }) => {
    // Were it taken for "any", a caller whose list came out empty would delete everything.
    const spec = await letters(namespace);
    assert.equal(await found(spec, { names: [] }), '');
    assert.equal(await found(spec, { statuses: [] }), '');
    assert.equal(await spec.deleteWorkUnits({ names: [] }), 0);
    assert.equal(await spec.deleteWorkUnits({ statuses: [] }), 0);
    assert.equal(await found(spec), 'a b c d e');
  },

  'statuses choose units': async (context) => {
    const spec = await oneOfEach(context);
    assert.equal(await found(spec, { statuses: ['available'] }), 'a');
    assert.equal(await found(spec, { statuses: ['delayed'] }), 'd');
    assert.equal(await found(spec, { statuses: ['pending'] }), 'p');
    assert.equal(await found(spec, { statuses: ['finished'] }), 'f');
    assert.equal(await found(spec, { statuses: ['failed'] }), 'x');
    assert.equal(await found(spec, { statuses: ['failed', 'available', 'failed'] }), 'a x');
    assert.equal(await found(spec, { statuses: ['available', 'delayed', 'pending', 'finished', 'failed'] }), 'a d f p x');
  },

  'a delayed unit is found as available once its time has come': async (context) => {
    const spec = await oneOfEach(context);
    context.clock.advance(minuteMs);
    assert.equal(await found(spec, { statuses: ['delayed'] }), '');
    assert.equal(await found(spec, { statuses: ['available'] }), 'a d');
  },

  'previousName is exclusive, and need not exist': async ({ namespace }) => {
    const spec = await letters(namespace);
    assert.equal(await found(spec, { previousName: 'b' }), 'c d e');
    assert.equal(await found(spec, { previousName: 'bb' }), 'c d e');
    assert.equal(await found(spec, { previousName: new Uint8Array([0xff]) }), '');
    assert.equal(await found(spec, { previousName: 'A' }), 'a b c d e');
  },

  'a limit takes the first in order of name': async ({ namespace }) => {
    const spec = await letters(namespace);
    assert.equal(await found(spec, { limit: 2 }), 'a b');
    assert.equal(await found(spec, { limit: 99 }), 'a b c d e');
  },

  'all conditions of a query must hold': async (context) => {
    const spec = await oneOfEach(context);
    assert.equal(await found(spec, { names: ['a', 'f', 'x'], statuses: ['finished', 'failed'] }), 'f x');
    assert.equal(await found(spec, { names: ['a', 'f', 'x'], previousName: 'a', limit: 1 }), 'f');
    assert.equal(await found(spec, { statuses: ['pending', 'failed'], previousName: 'p' }), 'x');
    assert.equal(await found(spec, { names: ['a'], statuses: ['failed'] }), '');
  },

  'paging by previousName sees every unit once': async ({ namespace }) => {
    const spec = await letters(namespace);
    const seen: string[] = [];
    // Three pages and an empty one; not "until it is empty", since a page that comes again would keep it going for ever.
    for (let page = 0; page < 4; page++) {
      const previousName = seen.at(-1);
      seen.push(...namesOf(await spec.workUnits({ limit: 2, ...(previousName === undefined ? {} : { previousName }) })));
    }
    assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e']);
  },

  'units are counted by status, those no unit has left out': async (context) => {
    const spec = await oneOfEach(context);
    await spec.addWorkUnit('a2', {});
    const expected = { available: 2, delayed: 1, pending: 1, finished: 1, failed: 1 };
    assertSameData(await spec.countWorkUnitStatus(), expected);
    const empty = await specWith(context.namespace, [], { name: 'empty' });
    assertSameData(await empty.countWorkUnitStatus(), {});
  },

  'priorities are set for the units of a query': async ({ namespace }) => {
    const spec = await letters(namespace);
    await spec.setWorkUnitPriorities({ names: ['b', 'd', 'missing'] }, 2.5);
    assert.equal(await priorities(spec), 'a=0 b=2.5 c=0 d=2.5 e=0');
    await spec.setWorkUnitPriorities({ previousName: 'b', limit: 1 }, -1);
    assert.equal(await priorities(spec), 'a=0 b=2.5 c=-1 d=2.5 e=0');
    await spec.setWorkUnitPriorities({ names: [] }, 7);
    assert.equal(await priorities(spec), 'a=0 b=2.5 c=-1 d=2.5 e=0');
    await spec.setWorkUnitPriorities({}, 1);
    assert.equal(await priorities(spec), 'a=1 b=1 c=1 d=1 e=1');
  },

  'priorities are adjusted for the units of a query': async ({ namespace }) => {
    const spec = await letters(namespace);
    await spec.setWorkUnitPriorities({ limit: 2 }, 10);
    await spec.adjustWorkUnitPriorities({ names: ['b', 'c'] }, 1.5);
    assert.equal(await priorities(spec), 'a=10 b=11.5 c=1.5 d=0 e=0');
    await spec.adjustWorkUnitPriorities({}, -2);
    assert.equal(await priorities(spec), 'a=8 b=9.5 c=-0.5 d=-2 e=-2');
  },

  'priorities are changed for units of any status': async (context) => {
    const spec = await oneOfEach(context);
    await spec.setWorkUnitPriorities({ statuses: ['pending', 'finished', 'delayed'] }, 4);
    assert.equal(await priorities(spec), 'a=0 d=4 f=4 p=4 x=0');
    await spec.adjustWorkUnitPriorities({ statuses: ['failed', 'pending'] }, 1);
    assert.equal(await priorities(spec), 'a=0 d=4 f=4 p=5 x=1');
    assert.equal(await found(spec, { statuses: ['pending'] }), 'p', 'the attempt goes on');
  },

  'a changed priority decides who is next': async ({ namespace }) => {
    const spec = await letters(namespace);
    await spec.setWorkUnitPriorities({ names: ['d', 'e'] }, 1);
    await spec.adjustWorkUnitPriorities({ names: ['a'] }, -1);
    assert.deepEqual(await claimNames(await namespace.worker('worker'), { numberOfWorkUnits: 9 }), ['d', 'e', 'b', 'c', 'a']);
  },

  'deletion tells how many units there were': async ({ namespace }) => {
    const spec = await letters(namespace);
    assert.equal(await spec.deleteWorkUnits({ names: ['a', 'missing', 'e'] }), 2);
    assert.equal(await spec.deleteWorkUnits({ previousName: 'b', limit: 1 }), 1);
    assert.equal(await found(spec), 'b d');
    assert.equal(await spec.deleteWorkUnits(), 2);
    assert.equal(await spec.deleteWorkUnits({}), 0);
    assert.equal(await found(spec), '');
  },

  'thousands of units are changed and deleted in one call': async ({ namespace }) => {
    const names = Array.from({ length: 5000 }, (_, index) => `unit ${String(index).padStart(4, '0')}`);
    const spec = await specWith(namespace, names);
    await spec.setWorkUnitPriorities({ limit: 4500 }, 1);
    await spec.adjustWorkUnitPriorities({ statuses: ['available'] }, 1);
    const edge = await spec.workUnits({ previousName: 'unit 4498', limit: 2 });
    assert.deepEqual(await Promise.all(edge.map((unit) => unit.priority())), [2, 1]);
    assert.equal(await spec.deleteWorkUnits({ limit: 4500 }), 4500);
    assert.equal((await spec.workUnits({ limit: 1 }))[0]?.name, 'unit 4500');
    assert.equal(await spec.deleteWorkUnits({ statuses: ['available'] }), 500);
    assert.equal(await spec.deleteWorkUnits(), 0);
  },

  'deletion goes by status': async (context) => {
    const spec = await oneOfEach(context);
    assert.equal(await spec.deleteWorkUnits({ statuses: ['finished', 'delayed', 'available'] }), 3);
    assert.equal(await found(spec), 'p x');
    assertSameData(await spec.countWorkUnitStatus(), { pending: 1, failed: 1 });
  },

  'deletion takes a unit’s attempts along, from the lists of workers too': async (context) => {
    const { spec, unit, attempt, worker } = await heldUnit(context.namespace);
    await attempt.retry();
    const second = await claim(worker);
    const parent = await context.namespace.worker('parent');
    await worker.setParent(parent);
    await specWith(context.namespace, ['kept'], { name: 'other' });
    const kept = await claim(worker);
    await spec.deleteWorkUnits();
    assert.deepEqual((await worker.activeAttempts()).map(({ number }) => number), [kept.number]);
    assert.deepEqual((await worker.allAttempts()).map(({ number }) => number), [kept.number]);
    assert.deepEqual((await parent.childAttempts()).map(({ number }) => number), [kept.number]);
    await raisesGone(context, () => second.renew());
    await raisesGone(context, () => attempt.read());
    await raises('NoSuchWorkUnit', () => spec.workUnit(unit.key));
  },

  'deleted units are not handed out': async ({ namespace }) => {
    const spec = await letters(namespace);
    await spec.deleteWorkUnits({ limit: 3 });
    const worker = await namespace.worker('worker');
    assert.deepEqual(await claimNames(worker, { numberOfWorkUnits: 9 }), ['d', 'e']);
    await spec.deleteWorkUnits();
    assert.deepEqual(await claimNames(worker), []);
  },

  'a unit found is the unit itself': async ({ namespace }) => {
    const { spec, attempt } = await heldUnit(namespace);
    const [unit] = await spec.workUnits();
    assert.ok(unit !== undefined);
    await assertActive(unit, attempt);
    assert.equal(unit.workSpec.name, 'spec');
  },
});
