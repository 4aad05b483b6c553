import assert from 'node:assert/strict';
import type { NewWorkUnit } from '../../core/work-spec/work-spec.js';
import { raises, raisesGone } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claimNames, heldUnit, namesOf, specWith } from './set-up.js';

/** Gives units named by their number, and says whether it was closed. */
class Source {
  isClosed = false;

  *units(count: number, change: (index: number) => unknown = () => undefined): Generator<NewWorkUnit> {
    try {
      for (let index = 0; index < count; index++) {
        yield (change(index) ?? { name: `unit ${index}`, data: { index } }) as NewWorkUnit;
      }
    } finally {
      this.isClosed = true;
    }
  }

  async *slowly(count: number, change?: (index: number) => unknown): AsyncGenerator<NewWorkUnit> {
    for (const unit of this.units(count, change)) yield Promise.resolve(unit);
  }
}

export const addStreamCases = cases('Work spec', {
  'units are added from an async generator': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    assert.equal(await spec.addWorkUnits(new Source().slowly(2_500)), 2_500);
    assertSameData(await spec.countWorkUnitStatus(), { available: 2_500 });
    assertSameData(await (await spec.workUnit('unit 2499')).data(), { index: 2_499 });
  },

  'units are added from any iterable, in batches of any size': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, []);
    const notBefore = new Date(clock.now().getTime() + 60_000);
    const units = new Map([
      [1, { name: 'a', data: { n: 1 }, meta: { priority: 5 } }],
      [2, { name: 'b', data: { n: 2 }, meta: { notBefore } }],
    ]).values();
    assert.equal(await spec.addWorkUnits(units, { batchSize: 1 }), 2);
    assertSameData(await spec.countWorkUnitStatus(), { available: 1, delayed: 1 });
    assert.equal(await (await spec.workUnit('a')).priority(), 5);
  },

  'a stream of no units is no error': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    assert.equal(await spec.addWorkUnits(new Source().slowly(0)), 0);
  },

  'of the same name twice in a stream the last wins, and both are counted': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const units = new Source().units(10, (index) => ({ name: `unit ${index % 2}`, data: { index } }));
    assert.equal(await spec.addWorkUnits(units, { batchSize: 3 }), 10);
    const found = await spec.workUnits();
    assert.deepEqual(namesOf(found), ['unit 0', 'unit 1']);
    assertSameData(await Promise.all(found.map((unit) => unit.data())), [{ index: 8 }, { index: 9 }]);
  },

  'a stream replaces units as an array does': async ({ namespace }) => {
    const { spec, attempt, worker } = await heldUnit(namespace);
    await attempt.finish();
    await spec.addWorkUnits(new Set([{ name: 'unit', data: { again: true } }]));
    assert.deepEqual(await claimNames(worker), ['unit']);
  },

  'of a stream that throws all that came before is added': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const source = new Source();
    const stop = new Error('stop');
    const adding = spec.addWorkUnits(
      source.slowly(5_000, (index) => {
        if (index === 1_003) throw stop;
      }),
    );
    await assert.rejects(adding, stop);
    assertSameData(await spec.countWorkUnitStatus(), { available: 1_003 });
  },

  'of a stream with a bad unit all that came before is added, and the stream is closed': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const source = new Source();
    const units = source.slowly(5_000, (index) => (index === 1_003 ? { name: 'bad', data: { f: () => 0 } } : undefined));
    await raises('InvalidArgument', () => spec.addWorkUnits(units));
    assertSameData(await spec.countWorkUnitStatus(), { available: 1_003 });
    assert.equal(source.isClosed, true);
  },

  'a stream to a spec that is gone raises Gone, and is closed': async (context) => {
    const { namespace } = context;
    const spec = await specWith(namespace, []);
    await namespace.destroyWorkSpec('spec');
    const source = new Source();
    await raisesGone(context, () => spec.addWorkUnits(source.slowly(5_000)));
    assert.equal(source.isClosed, true);
    await raisesGone(context, () => spec.addWorkUnits(new Set<NewWorkUnit>()));
  },

  'units added one by one at the same time are each added': async ({ namespace }) => {
    const spec = await specWith(namespace, ['unit 3']);
    const units = await Promise.all(
      Array.from({ length: 20 }, (_, index) => spec.addWorkUnit(`unit ${index}`, { index }, { priority: index })),
    );
    assert.deepEqual(namesOf(units), Array.from({ length: 20 }, (_, index) => `unit ${index}`));
    for (const [index, unit] of units.entries()) assertSameData(await unit.data(), { index });
    assertSameData(await spec.countWorkUnitStatus(), { available: 20 });
  },

  'of the same name added twice at the same time the last call wins, and both have the unit': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const units = await Promise.all([1, 2, 3].map((n) => spec.addWorkUnit('a', { n })));
    for (const unit of units) assertSameData(await unit.data(), { n: 3 });
  },

  'a bad unit spoils none that are added at the same time': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const outcomes = await Promise.allSettled([
      spec.addWorkUnit('a', {}),
      spec.addWorkUnit('b', { f: () => 0 }),
      spec.addWorkUnit('c', {}),
    ]);
    assert.deepEqual(outcomes.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled']);
    assert.deepEqual(namesOf(await spec.workUnits()), ['a', 'c']);
  },
});
