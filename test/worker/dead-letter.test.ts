import { describe, expect, test } from 'vitest';
import { redrive } from '../../src/worker/index.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';
import { runWorker, untilCounts } from './running.js';

const database = await testDatabase();

async function specOf(namespace: string, data: Record<string, unknown> & { name: string }) {
  const coordinate = await database.connect();
  return (await coordinate.namespace(namespace)).setWorkSpec(data);
}

describe('a dead letter', () => {
  test('holds the unit, its error and its history; redrive brings it back', async () => {
    const spec = await specOf('dead', { name: 'spec', retry: { limit: 1, delayMs: 1, deadLetter: 'graveyard' } });
    let broken = true;
    const { namespace } = await runWorker(database, {
      namespace: 'dead',
      handlers: {
        spec: ({ data }) => {
          if (broken) throw new TypeError('broken');
          return { ...data, done: true };
        },
      },
    });
    const key = Buffer.from([0x61, 0xff]);
    await spec.addWorkUnits([{ name: 'a', data: { url: 'x' }, meta: { priority: 3 } }, { name: key, data: { url: 'y' } }]);
    await untilCounts(spec, { failed: 2 });
    const graveyard = await namespace.workSpec('graveyard');
    expect(await (await graveyard.workUnit('spec/a')).data()).toMatchObject({
      workSpec: 'spec',
      name: 'a',
      priority: 3,
      data: { url: 'x' },
      error: { name: 'TypeError', message: 'broken' },
      attempts: [{ status: 'retryable', error: { message: 'broken' } }],
    });

    broken = false;
    expect(await redrive(namespace, 'graveyard', { limit: 1 })).toEqual({ redriven: 1, failed: 0 });
    await untilCounts(spec, { finished: 1, failed: 1 });
    expect(await redrive(namespace, 'graveyard')).toEqual({ redriven: 1, failed: 0 });
    await untilCounts(spec, { finished: 2 });
    expect(await (await spec.workUnit(key)).data()).toEqual({ url: 'y', done: true });
    expect(await (await spec.workUnit('a')).priority()).toBe(3);
    expect(await redrive(namespace, 'graveyard')).toEqual({ redriven: 0, failed: 0 });
  });

  test('of each unit is its own, whatever the names', async () => {
    const namespace = (await specOf('slashes', { name: 'a', retry: { limit: 0, deadLetter: 'dead' } })).namespace;
    await namespace.setWorkSpec({ name: 'a/b', retry: { limit: 0, deadLetter: 'dead' } });
    const run = () => Promise.reject(new Error('no'));
    await runWorker(database, { namespace: 'slashes', handlers: { a: run, 'a/b': run } });
    await (await namespace.workSpec('a')).addWorkUnit('b/c', {});
    await (await namespace.workSpec('a/b')).addWorkUnit('c', {});
    await until('both have failed', async () => (await namespace.summarize()).filter(({ status }) => status === 'failed').length === 2);
    expect(await (await namespace.workSpec('dead')).countWorkUnitStatus()).toEqual({ available: 2 });
  });

  test('holds what the database has, whatever the handler has done to its data', async () => {
    const spec = await specOf('mutated', { name: 'spec', retry: { limit: 0, deadLetter: 'dead' } });
    const { namespace } = await runWorker<{ spec: { items: number[] } }>(database, {
      namespace: 'mutated',
      handlers: {
        spec: ({ data }) => {
          data.items.length = 0;
          (data as Record<string, unknown>).unstorable = () => 1;
          throw new Error('no');
        },
      },
    });
    const unit = await spec.addWorkUnit('a', { items: [1, 2] });
    await untilCounts(spec, { failed: 1 });
    expect(await unit.data()).toMatchObject({ items: [1, 2], error: { message: 'no' } });
    expect(await (await (await namespace.workSpec('dead')).workUnit('spec/a')).data()).toMatchObject({ data: { items: [1, 2] } });
  });

  test('that dies in its own work spec stays there', async () => {
    const spec = await specOf('loop', { name: 'spec', retry: { limit: 0, deadLetter: 'spec' } });
    await runWorker(database, { namespace: 'loop', handlers: { spec: () => Promise.reject(new Error('no')) } });
    await spec.addWorkUnit('a', {});
    await untilCounts(spec, { failed: 1 });
  });

  test('without a work spec to go back to, or that is none, does not keep others from it; two that redrive share them', async () => {
    const spec = await specOf('bad-letters', { name: 'spec' });
    const dead = await specOf('bad-letters', { name: 'dead' });
    const { namespace } = spec;
    const letter = (workSpec: string, name: string) => ({ workSpec, name, priority: 0, data: { name }, error: {}, attempts: [] });
    await dead.addWorkUnits([
      { name: 'a', data: letter('no such spec', 'x') },
      { name: 'b', data: { made: 'by hand' } },
      ...Array.from({ length: 500 }, (_, n) => ({ name: `c ${n}`, data: letter('spec', `u ${n}`) })),
    ]);
    const results = await Promise.all([redrive(namespace, 'dead'), redrive(namespace, 'dead')]);
    expect(results.reduce((sum, { redriven }) => sum + redriven, 0)).toBe(500);
    expect(results.reduce((sum, { failed }) => sum + failed, 0)).toBe(2);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 500 });
    expect(await dead.countWorkUnitStatus()).toEqual({ finished: 500, failed: 2 });
    await dead.setMeta({ paused: true });
    await expect(redrive(namespace, 'dead')).rejects.toMatchObject({ code: 'InvalidArgument' });
  });

  test('is of one piece with the failure: neither is there if one cannot be', async () => {
    const spec = await specOf('piece', { name: 'spec', retry: { limit: 0, deadLetter: 'graveyard' } });
    const graveyard = await specOf('piece', { name: 'graveyard' });
    let taken = false;
    await runWorker(database, {
      namespace: 'piece',
      handlers: {
        spec: async ({ attempt }) => {
          if (taken) return;
          taken = true;
          // Somebody takes the unit away while the handler works; then it throws.
          await attempt.workUnit.clearActiveAttempt();
          throw new Error('too late');
        },
      },
    });
    await spec.addWorkUnit('a', {});
    await untilCounts(spec, { finished: 1 });
    expect(await graveyard.countWorkUnitStatus()).toEqual({});
  });
});
