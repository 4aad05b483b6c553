import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { assertUnitStatus, raises, raisesGone } from './assertions.js';
import { cases } from './conformance-case.js';
import { claimNames, heldUnit, namesOf, specWith } from './set-up.js';

export const namespaceCases = cases('Namespace', {
  'a namespace is created on first use, and found from then on': async ({ coordinate }) => {
    const name = `conformance ${randomUUID()}`;
    assert.ok(!namesOf(await coordinate.namespaces()).includes(name));
    const created = await coordinate.namespace(name);
    try {
      assert.equal(created.name, name);
      assert.equal(created.coordinate, coordinate);
      await specWith(created, ['a']);
      const found = await coordinate.namespace(name);
      assert.deepEqual(await found.workSpecNames(), ['spec']);
      assert.equal(namesOf(await coordinate.namespaces()).filter((each) => each === name).length, 1);
    } finally {
      await created.destroy();
    }
  },

  'the empty string is the name of a namespace': async ({ coordinate }) => {
    // It may be in use: only what is added here may be taken away.
    const existed = namesOf(await coordinate.namespaces()).includes('');
    const namespace = await coordinate.namespace('');
    const name = `conformance ${randomUUID()}`;
    try {
      assert.equal(namespace.name, '');
      await specWith(namespace, ['a'], { name });
      assert.ok((await (await coordinate.namespace('')).workSpecNames()).includes(name));
      assert.ok(namesOf(await coordinate.namespaces()).includes(''));
      await namespace.destroyWorkSpec(name);
    } finally {
      if (!existed) await namespace.destroy();
    }
  },

  'namespaces are listed in order of name': async ({ coordinate, namespace }) => {
    const suffixes = [' b', ' B', ' a'];
    const others = await Promise.all(suffixes.map((suffix) => coordinate.namespace(namespace.name + suffix)));
    try {
      const listed = namesOf(await coordinate.namespaces()).filter((name) => name.startsWith(namespace.name));
      assert.deepEqual(listed, ['', ' B', ' a', ' b'].map((suffix) => namespace.name + suffix));
    } finally {
      await Promise.all(others.map((other) => other.destroy()));
    }
  },

  'namespaces are found by their names, and none is made': async ({ coordinate, namespace }) => {
    const missing = `${namespace.name} missing`;
    const second = await coordinate.namespace(`${namespace.name} 2`);
    try {
      const names = [second.name, missing, namespace.name, second.name];
      assert.deepEqual(namesOf(await coordinate.namespaces({ names })), [namespace.name, second.name]);
      assert.deepEqual(await coordinate.namespaces({ names: [missing] }), []);
      assert.deepEqual(await coordinate.namespaces({ names: [] }), []);
      assert.ok(namesOf(await coordinate.namespaces({})).includes(namespace.name));
      await raises('InvalidArgument', () => coordinate.namespaces({ names: [7 as unknown as string] }));
      await raises('InvalidArgument', () => coordinate.namespaces({ name: 'a' } as object));
    } finally {
      await second.destroy();
    }
  },

  'namespaces share nothing': async ({ coordinate, namespace }) => {
    const other = await coordinate.namespace(`${namespace.name} too`);
    try {
      const here = await specWith(namespace, ['a', 'b'], { desc: 'here' });
      const there = await specWith(other, ['b'], { desc: 'there' });
      assert.equal((await here.data()).desc, 'here');
      assert.deepEqual(await claimNames(await other.worker('worker'), { numberOfWorkUnits: 9 }), ['b']);
      assert.deepEqual(await (await namespace.worker('worker')).activeAttempts(), []);
      await assertUnitStatus(await here.workUnit('b'), 'available');
      await assertUnitStatus(await there.workUnit('b'), 'pending');
    } finally {
      await other.destroy();
    }
    assert.deepEqual(await namespace.workSpecNames(), ['spec']);
  },

  'a destroyed namespace takes everything in it along': async ({ coordinate, namespace }) => {
    await heldUnit(namespace);
    await namespace.destroy();
    assert.ok(!namesOf(await coordinate.namespaces()).includes(namespace.name));
    const again = await coordinate.namespace(namespace.name);
    try {
      assert.deepEqual(await again.workSpecNames(), []);
      assert.deepEqual(await again.workers(), []);
      assert.deepEqual(await again.summarize(), []);
    } finally {
      await again.destroy();
    }
  },

  'destroying a namespace twice is no error': async ({ namespace }) => {
    await namespace.destroy();
    await namespace.destroy();
  },

  'a destroyed namespace, and whatever belonged to it, is gone': async (context) => {
    const { namespace } = context;
    const { spec, unit, worker, attempt } = await heldUnit(namespace);
    await namespace.destroy();
    const actions: (() => Promise<unknown>)[] = [
      () => namespace.workSpecNames(),
      () => namespace.setWorkSpec({ name: 'spec' }),
      () => namespace.workSpec('spec'),
      () => namespace.destroyWorkSpec('spec'),
      () => namespace.worker('worker'),
      () => namespace.workers(),
      () => namespace.summarize(),
      () => worker.read(),
      () => worker.requestAttempts(),
      () => worker.update({ data: null }),
      () => spec.data(),
      () => unit.status(),
      () => attempt.read(),
      () => attempt.finish(),
    ];
    // Over a wire the name is all there is, and naming a namespace or a worker creates it.
    if (context.overTheWire) actions.splice(0, 10);
    for (const action of actions) await raisesGone(context, action);
  },

  'a namespace made anew does not bring back the old one': async (context) => {
    if (context.overTheWire) return;
    const { coordinate, namespace } = context;
    const { spec, attempt } = await heldUnit(namespace);
    await namespace.destroy();
    const again = await coordinate.namespace(namespace.name);
    try {
      await heldUnit(again);
      await raisesGone(context, () => namespace.workSpecNames());
      await raisesGone(context, () => spec.data());
      await raisesGone(context, () => attempt.finish());
    } finally {
      await again.destroy();
    }
  },

  'a closed connection answers nothing more': async ({ connect, coordinate, namespace }) => {
    const other = await connect();
    const there = await other.namespace(namespace.name);
    const spec = await there.setWorkSpec({ name: 'spec' });
    const worker = await there.worker('worker');
    await other.close();
    await other.close();
    const actions: (() => Promise<unknown>)[] = [
      () => other.namespace('any'),
      () => other.namespaces(),
      () => other.summarize(),
      () => there.workSpecNames(),
      () => spec.data(),
      () => worker.requestAttempts(),
    ];
    for (const action of actions) await raises('Closed', action);
    assert.ok(namesOf(await coordinate.namespaces()).includes(namespace.name), 'other connections stay open');
  },

  'a connection closes itself at the end of its scope': async ({ connect }) => {
    const other = await connect();
    await other[Symbol.asyncDispose]();
    await raises('Closed', () => other.namespaces());
  },
});
