import assert from 'node:assert/strict';
import { assertActive, assertAttemptStatus, assertUnitStatus, raises, raisesInvalid } from './assertions.js';
import { cases, type ConformanceContext } from './conformance-case.js';
import { heldUnit, type Held } from './set-up.js';

/** The same things made through another connection, in the namespace of the same name. */
async function elsewhere({ connect, namespace }: ConformanceContext): Promise<Held> {
  const there = await (await connect()).namespace(namespace.name);
  return heldUnit(there, { name: 'elsewhere' });
}

export const wrongBackendCases = cases('Errors', {
  'a worker makes no attempt of another connection’s unit': async (context) => {
    const { unit, attempt } = await elsewhere(context);
    const worker = await context.namespace.worker('mine');
    await raises('WrongBackend', () => worker.makeAttempt(unit));
    assert.deepEqual(await worker.allAttempts(), []);
    await assertActive(unit, attempt);
  },

  'a worker of another connection is no parent': async (context) => {
    const { worker: parent } = await elsewhere(context);
    const worker = await context.namespace.worker('mine');
    await raises('WrongBackend', () => worker.setParent(parent));
    assert.equal((await worker.read()).parent, null);
  },

  'a batch with an attempt of another connection is refused, and changes nothing': async (context) => {
    const { attempt: foreign } = await elsewhere(context);
    const { attempt: own } = await heldUnit(context.namespace);
    const reports = [{ attempt: own }, { attempt: foreign }];
    await raises('WrongBackend', () => context.namespace.finishAll(reports));
    await raises('WrongBackend', () => context.namespace.failAll(reports));
    await raises('WrongBackend', () => context.namespace.renewAll(reports));
    await assertAttemptStatus(own, 'pending');
    await assertAttemptStatus(foreign, 'pending');
  },

  'a worker has no dealings with units and workers of another namespace': async ({ coordinate, namespace }) => {
    const other = await coordinate.namespace(`${namespace.name} too`);
    try {
      const { unit, worker: parent } = await heldUnit(other);
      const worker = await namespace.worker('worker');
      await raisesInvalid('unit', () => worker.makeAttempt(unit));
      await raisesInvalid('parent', () => worker.setParent(parent));
      await assertUnitStatus(unit, 'pending');
      assert.equal((await worker.read()).parent, null);
    } finally {
      await other.destroy();
    }
  },
});
