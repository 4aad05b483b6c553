import assert from 'node:assert/strict';
import { assertUnitStatus, raises, raisesGone } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claimNames, heldUnit, specWith } from './set-up.js';

export const workSpecCases = cases('Work spec', {
  'a work spec is created by its name and found again': async ({ namespace }) => {
    const created = await namespace.setWorkSpec({ name: 'spec' });
    assert.equal(created.name, 'spec');
    assert.equal(created.namespace.name, namespace.name);
    assert.equal((await namespace.workSpec('spec')).name, 'spec');
  },

  'a work spec that does not exist is an error that names it': async ({ namespace }) => {
    const error = await raises('NoSuchWorkSpec', () => namespace.workSpec('missing'));
    assert.equal(error.details.name, 'missing');
    await raises('NoSuchWorkSpec', () => namespace.destroyWorkSpec('missing'));
  },

  'the definition keeps every key, known or not': async ({ namespace }) => {
    const definition = {
      name: 'spec',
      module: 'tasks',
      run_function: 'run',
      terminate_function: 'stop',
      config: { depth: { deeper: [1, 2] } },
      desc: 'says what',
      task: 'build',
      then_preempts: true,
      max_running: 'not a number',
      somethingElse: null,
    };
    const spec = await namespace.setWorkSpec(definition);
    assertSameData(await spec.data(), definition);
    assertSameData(await (await namespace.workSpec('spec')).data(), definition);
  },

  'a definition without a name is refused': async ({ namespace }) => {
    await raises('NoWorkSpecName', () => namespace.setWorkSpec({}));
    await raises('NoWorkSpecName', () => namespace.setWorkSpec({ desc: 'nameless' }));
    assert.deepEqual(await namespace.workSpecNames(), []);
  },

  'a name that is not a string, or is empty, is refused': async ({ namespace }) => {
    for (const name of [5, null, true, [], {}, new Uint8Array([97]), '']) {
      await raises('BadWorkSpecName', () => namespace.setWorkSpec({ name }));
    }
    assert.deepEqual(await namespace.workSpecNames(), []);
  },

  'a redefinition by the namespace replaces the data and keeps the units': async ({ namespace }) => {
    const { spec, unit, attempt } = await heldUnit(namespace, { desc: 'old', priority: 5 });
    const redefined = await namespace.setWorkSpec({ name: 'spec', config: {} });
    assertSameData(await redefined.data(), { name: 'spec', config: {} });
    assertSameData(await spec.data(), { name: 'spec', config: {} });
    assert.equal((await spec.meta()).priority, 0);
    await assertUnitStatus(unit, 'pending');
    await attempt.finish();
  },

  'setData replaces the whole definition': async ({ namespace }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', desc: 'old', priority: 5 });
    await spec.setData({ name: 'spec', task: 'new' });
    assertSameData(await spec.data(), { name: 'spec', task: 'new' });
    assert.equal((await spec.meta()).priority, 0);
  },

  'setData can not rename': async ({ namespace }) => {
    const spec = await namespace.setWorkSpec({ name: 'spec', desc: 'kept', weight: 3 });
    await raises('ChangedName', () => spec.setData({ name: 'other', weight: 9 }));
    await raises('NoWorkSpecName', () => spec.setData({ weight: 9 }));
    await raises('BadWorkSpecName', () => spec.setData({ name: 7, weight: 9 }));
    await raises('BadWorkSpecName', () => spec.setData({ name: '', weight: 9 }));
    assertSameData(await spec.data(), { name: 'spec', desc: 'kept', weight: 3 });
    assert.equal((await spec.meta()).weight, 3);
    assert.deepEqual(await namespace.workSpecNames(), ['spec']);
  },

  'names of work specs are listed bytewise': async ({ namespace }) => {
    // UTF-16 code units would put the emoji before the fullwidth tilde, and most locales put a before B.
    const ordered = [' ', 'B', 'Ba', 'a', 'a b', 'é', '\uff5e', '😀'];
    for (const name of ordered.toReversed()) await namespace.setWorkSpec({ name });
    assert.deepEqual(await namespace.workSpecNames(), ordered);
  },

  'names of work specs are told apart exactly': async ({ namespace }) => {
    const names = ['spec', 'Spec', ' spec', 'spec ', '\u00e9', 'e\u0301', '%', 'a/b', '-', '__proto__', 'constructor'];
    for (const name of names) await namespace.setWorkSpec({ name, desc: `this is ${name}` });
    assert.equal((await namespace.workSpecNames()).length, names.length);
    for (const name of names) {
      assert.equal((await (await namespace.workSpec(name)).data()).desc, `this is ${name}`);
    }
  },

  'a destroyed work spec is not there any more': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b']);
    await namespace.setWorkSpec({ name: 'stays' });
    await namespace.destroyWorkSpec('spec');
    assert.deepEqual(await namespace.workSpecNames(), ['stays']);
    await raises('NoSuchWorkSpec', () => namespace.workSpec('spec'));
    await raises('NoSuchWorkSpec', () => namespace.destroyWorkSpec('spec'));
    assert.deepEqual(await claimNames(await namespace.worker('worker')), []);
  },

  'a destroyed work spec takes its attempts along, from the lists of workers too': async ({ namespace }) => {
    const { attempt, spec, worker } = await heldUnit(namespace);
    await attempt.finish();
    await spec.addWorkUnit('another', {});
    await worker.requestAttempts();
    await namespace.destroyWorkSpec('spec');
    assert.deepEqual(await worker.activeAttempts(), []);
    assert.deepEqual(await worker.allAttempts(), []);
  },

  'a destroyed work spec is gone for whoever still has it': async (context) => {
    const { spec, unit, attempt } = await heldUnit(context.namespace);
    await context.namespace.destroyWorkSpec('spec');
    const actions: (() => Promise<unknown>)[] = [
      () => spec.data(),
      () => spec.setData({ name: 'spec' }),
      () => spec.meta({ counts: true }),
      () => spec.setMeta({ priority: 1 }),
      () => spec.addWorkUnit('a', {}),
      () => spec.addWorkUnits([{ name: 'a', data: {} }]),
      () => spec.workUnit('unit'),
      () => spec.workUnits(),
      () => spec.countWorkUnitStatus(),
      () => spec.summarize(),
      () => spec.setWorkUnitPriorities({}, 1),
      () => spec.adjustWorkUnitPriorities({}, 1),
      () => spec.deleteWorkUnits({}),
      () => unit.data(),
      () => attempt.renew(),
    ];
    for (const action of actions) await raisesGone(context, action);
    assert.deepEqual(await context.namespace.workSpecNames(), []);
  },

  'a worker still busy with a destroyed work spec gets Gone': async (context) => {
    const { attempt } = await heldUnit(context.namespace);
    await context.namespace.destroyWorkSpec('spec');
    await raisesGone(context, () => attempt.finish({ output: ['x'] }));
    await raisesGone(context, () => attempt.read());
  },

  'a work spec made anew starts empty, and does not bring back the old one': async (context) => {
    const { spec, unit, attempt } = await heldUnit(context.namespace, { priority: 7 });
    await context.namespace.destroyWorkSpec('spec');
    const again = await context.namespace.setWorkSpec({ name: 'spec' });
    assert.equal((await again.meta()).priority, 0);
    assert.deepEqual(await again.workUnits(), []);
    await raisesGone(context, () => attempt.finish());
    if (context.overTheWire) return;
    await raisesGone(context, () => spec.data());
    await raisesGone(context, () => unit.data());
  },
});
