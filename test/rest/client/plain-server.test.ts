import { connectRest, serveRest } from 'pg-coordinate/rest';
import { afterAll, describe, expect, test } from 'vitest';
import { createWorker } from 'pg-coordinate/worker';
import { testDatabase } from '../../support/database.js';
import { plainServer } from './plain-server.js';

const database = await testDatabase();
const ours = await serveRest({ coordinate: await database.connect(), port: 0 });
const server = await plainServer(ours.url);
const coordinate = await connectRest(server.url);
const namespace = await coordinate.namespace('n');
afterAll(async () => {
  await coordinate.close();
  await server.stop();
  await ours.stop();
});

describe('at a server that knows nothing but the protocol', () => {
  test('units are added one by one, and found as they were given', async () => {
    const spec = await namespace.setWorkSpec({ name: 'found', config: { size: 1.5 } });
    expect(await spec.addWorkUnits([{ name: 'a', data: { n: 1 } }, { name: 'b', data: { at: new Date(0) } }, { name: 'a', data: { n: 2 } }])).toBe(2);
    await Promise.all(['c', 'd'].map((name) => spec.addWorkUnit(name, { bytes: Buffer.from('x') }, { priority: 3 })));
    expect((await spec.workUnits()).map(({ name }) => name)).toEqual(['a', 'b', 'c', 'd']);
    expect(await (await spec.workUnit('a')).data()).toEqual({ n: 2 });
    expect(await (await spec.workUnit('b')).data()).toEqual({ at: new Date(0) });
    expect(await (await spec.workUnit('c')).meta()).toEqual({ priority: 3, notBefore: null });
    expect((await spec.data()).config).toEqual({ size: 1.5 });
    await expect(spec.addWorkUnit(Uint8Array.of(0xff), {})).rejects.toMatchObject({ code: 'InvalidArgument', details: { field: 'name' } });
  });

  test('a meta is changed by reading and replacing it', async () => {
    const spec = await namespace.setWorkSpec({ name: 'changed', max_running: 7 });
    await spec.setMeta({ paused: true, intervalMs: 1_500 });
    expect(await spec.meta()).toMatchObject({ paused: true, intervalMs: 1_500, maxRunning: 7, weight: 20 });
  });

  test('attempts are asked for one by one, and reported so, with a verdict for each', async () => {
    const spec = await namespace.setWorkSpec({ name: 'reported' });
    await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: { name } })));
    const worker = await namespace.worker('w');
    const attempts = await worker.requestAttempts({ workSpecs: ['reported'], numberOfWorkUnits: 3 });
    expect(attempts.map(({ workUnit, data, worker: of }) => [workUnit.name, workUnit.workSpec.name, data, of.name])).toEqual(
      ['a', 'b', 'c'].map((name) => [name, 'reported', { name }, 'w']),
    );
    expect(new Set(attempts.map(({ number }) => number)).size).toBe(3);
    expect((await worker.activeAttempts()).map(({ workUnit }) => workUnit.name)).toEqual(['a', 'b', 'c']);
    await attempts[0]!.fail({ why: 'so' });
    const verdicts = await namespace.failAll(attempts.map((attempt) => ({ attempt })));
    expect(verdicts.map(({ error }) => error?.code ?? null)).toEqual(['NotPending', null, null]);
    expect((await (await spec.workUnit('a')).attempts()).map(({ status, data }) => [status, data])).toEqual([['failed', { why: 'so' }]]);
    expect(await (await spec.workUnit('a')).numAttempts()).toBe(1);
  });

  test('units are read one by one, with their attempts', async () => {
    const spec = await namespace.setWorkSpec({ name: 'readings' });
    await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: { name }, meta: { priority: 2 } })));
    const [attempt] = await (await namespace.worker('reader')).requestAttempts({ workSpecs: ['readings'] });
    await attempt?.finish({ done: true });
    const first = await spec.readWorkUnits({ limit: 2 }, ['data', 'attempts']);
    expect(first.units.map(({ workUnit, status, meta, data, attempts }) => [workUnit.name, status, meta.priority, data, attempts.length])).toEqual([
      ['a', 'finished', 2, { done: true }, 1],
      ['b', 'available', 2, { name: 'b' }, 0],
    ]);
    const { units, next } = await spec.readWorkUnits({ limit: 2, previousName: first.next! }, ['ownData']);
    expect([units.map(({ ownData }) => ownData), next]).toEqual([[{ name: 'c' }], null]);
  });

  test('attempts are forced one by one', async () => {
    const spec = await namespace.setWorkSpec({ name: 'forced' });
    await spec.addWorkUnits(['a', 'b'].map((name) => ({ name, data: {} })));
    const attempts = await (await namespace.worker('forcing')).makeAttempts(await spec.workUnits());
    expect(attempts.map(({ workUnit, status }) => [workUnit.name, status])).toEqual([['a', 'pending'], ['b', 'pending']]);
  });

  test('the time is what it dates its answers with', async () => {
    expect(Math.abs((await coordinate.now()).getTime() - Date.now())).toBeLessThan(60_000);
    await expect(namespace.oldestWaiting()).rejects.toMatchObject({ code: 'NotOffered' });
  });

  test('a worker stays active when it is given a parent', async () => {
    const [worker, parent] = await Promise.all([namespace.worker('child'), namespace.worker('parent')]);
    await worker.update({ data: { cpus: 2 }, mode: 'RUN' });
    const before = await worker.read();
    expect(before.expiration.getTime()).toBeGreaterThan(before.lastUpdate.getTime());
    await worker.setParent(parent);
    expect(await worker.read()).toEqual({ ...before, parent: 'parent' });
    expect((await parent.children()).map(({ name }) => name)).toEqual(['child']);
  });

  test('errors are those of the protocol', async () => {
    await expect(namespace.workSpec('none')).rejects.toMatchObject({ code: 'NoSuchWorkSpec', details: { name: 'none' } });
    const spec = await namespace.setWorkSpec({ name: 'errors' });
    await expect(spec.workUnit('none')).rejects.toMatchObject({ code: 'NoSuchWorkUnit' });
    const unit = await spec.addWorkUnit('a', {});
    await expect(unit.explain()).rejects.toThrow('This server does not offer explain(); `pg-coordinate serve` does');
    await expect(namespace.workers()).rejects.toMatchObject({ code: 'NotOffered' });
    await namespace.destroyWorkSpec('errors');
    await expect(unit.status()).rejects.toMatchObject({ code: 'Gone' });
  });

  test('a worker runtime does its work', async () => {
    const spec = await namespace.setWorkSpec({ name: 'worked' });
    await spec.addWorkUnits(Array.from({ length: 30 }, (_, n) => ({ name: `${n}`, data: { n } })));
    let left = 30;
    await new Promise<void>((resolve, reject) => {
      const worker = createWorker({ coordinate, namespace: 'n', handlers: { worked: async () => { if (--left === 0) resolve(); } } });
      worker.ended.catch(reject);
      worker.start().catch(reject);
      afterAll(() => worker.stop());
    });
    expect(left).toBe(0);
  });

  test('it was asked for nothing that it does not know', () => {
    expect(server.asked).toEqual([]);
  });
});
