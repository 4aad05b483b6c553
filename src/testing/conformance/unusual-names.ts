import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { CoordinateError } from '../../errors/index.js';
import { raises, raisesOneOf } from './assertions.js';
import { cases } from './conformance-case.js';
import { claimNames, namesOf, specWith } from './set-up.js';

/**
 * Names that a database's text can not hold, or its indexes not take: whether they are kept or refused is the implementation's
 * choice, but they must not be changed, nor end in an error of the database.
 */
const unusual: Readonly<Record<string, string>> = {
  'a NUL in it': 'a\0b',
  'half of a surrogate pair in it': 'a\ud800b',
  'ten thousand characters': randomText(),
};

/** Random, since a database may compress what repeats itself. */
function randomText(): string {
  return randomBytes(5000).toString('hex');
}

/** Whether the action went well; false when it was refused as documented. */
async function isKept(action: () => Promise<unknown>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    assert.ok(error instanceof CoordinateError, `an undocumented error was raised: ${String(error)}`);
    await raisesOneOf(['InvalidArgument', 'BadWorkSpecName'], () => Promise.reject(error));
    return false;
  }
}

export const unusualNameCases = cases('Objects', {
  ...Object.fromEntries(
    Object.entries(unusual).flatMap(([what, name]) => [
      [`a work spec’s name with ${what} is kept or refused`, specName(name)],
      [`a worker’s name with ${what} is kept or refused`, workerName(name)],
      [`a namespace’s name with ${what} is kept or refused`, namespaceName(name)],
      [`a runtime or next spec with ${what} is kept or refused`, runtime(name)],
    ]),
  ),

  'a name with half of a surrogate pair is not taken for another': async ({ namespace }) => {
    // It has no UTF-8; written with U+FFFD in its place it would be the name of another unit.
    const spec = await specWith(namespace, ['a\ufffd']);
    if (!(await isKept(() => spec.addWorkUnit('a\ud800', { x: 1 })))) return;
    assert.equal((await spec.workUnits()).length, 2);
  },

  'to look for an unusual name is to look in vain, or refused': async ({ namespace }) => {
    await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    for (const name of Object.values(unusual)) {
      await raisesOneOf(['NoSuchWorkSpec', 'InvalidArgument'], () => namespace.workSpec(name));
      await isKept(() => worker.requestAttempts({ workSpecs: [name] }));
      await isKept(() => worker.requestAttempts({ runtimes: [name] }));
      await isKept(() => namespace.workers({ start: name }));
    }
    await raises('NoSuchWorkSpec', () => namespace.workSpec(''));
    assert.deepEqual(await claimNames(worker), ['a']);
  },
});

type Run = Parameters<typeof cases>[1][string];

function specName(name: string): Run {
  return async ({ namespace }) => {
    const isThere = await isKept(() => namespace.setWorkSpec({ name }));
    assert.deepEqual(await namespace.workSpecNames(), isThere ? [name] : []);
    if (isThere) assert.equal((await (await namespace.workSpec(name)).data()).name, name);
  };
}

function workerName(name: string): Run {
  return async ({ namespace }) => {
    const isThere = await isKept(() => namespace.worker(name));
    assert.deepEqual(namesOf(await namespace.workers()), isThere ? [name] : []);
  };
}

function namespaceName(suffix: string): Run {
  return async ({ coordinate, namespace }) => {
    const name = namespace.name + suffix;
    if (!(await isKept(() => coordinate.namespace(name)))) return;
    const created = await coordinate.namespace(name);
    try {
      assert.equal(created.name, name);
      assert.ok(namesOf(await coordinate.namespaces()).includes(name));
    } finally {
      await created.destroy();
    }
  };
}

function runtime(text: string): Run {
  return async ({ namespace }) => {
    const isThere = await isKept(() => namespace.setWorkSpec({ name: 'spec', runtime: text, then: text }));
    if (!isThere) return;
    const spec = await namespace.workSpec('spec');
    const data = await spec.data();
    assert.deepEqual([data.runtime, data.then], [text, text]);
    await spec.addWorkUnit('a', {});
    assert.deepEqual(await claimNames(await namespace.worker('worker'), { runtimes: ['other'] }), []);
  };
}
