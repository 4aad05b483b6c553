import { expect, test } from 'vitest';
import type { Namespace } from 'pg-coordinate';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
const specCount = 150;

async function namespaceWithSpecs(name: string): Promise<Namespace> {
  const namespace = await (await database.connect()).namespace(name);
  for (let index = 0; index < specCount; index++) {
    const spec = await namespace.setWorkSpec({ name: `spec ${index}` });
    await spec.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }]);
  }
  return namespace;
}

async function claimAll(namespace: Namespace): Promise<string[]> {
  const worker = await namespace.worker('worker');
  const claimed: string[] = [];
  for (;;) {
    const attempts = await worker.requestAttempts();
    if (attempts.length === 0) return claimed;
    claimed.push(...attempts.map(({ workUnit }) => `${workUnit.workSpec.name} ${workUnit.name}`));
  }
}

test('every unit of many specs is handed out once, by one look for several claims', async () => {
  const claimed = await claimAll(await namespaceWithSpecs('all'));
  expect(claimed).toHaveLength(specCount * 2);
  expect(new Set(claimed).size).toBe(specCount * 2);
});

test('what others add meanwhile is found before there is nothing to do', async () => {
  const namespace = await namespaceWithSpecs('others');
  const worker = await namespace.worker('worker');
  await worker.requestAttempts();
  const other = await (await database.connect()).namespace('others');
  await (await other.setWorkSpec({ name: 'late' })).addWorkUnits([{ name: 'unit', data: {} }]);
  expect(await claimAll(namespace)).toContain('late unit');
});

test('what this process itself adds or changes counts at once', async () => {
  const namespace = await namespaceWithSpecs('own');
  const worker = await namespace.worker('worker');
  await worker.requestAttempts();
  const urgent = await namespace.setWorkSpec({ name: 'urgent', priority: 9 });
  await urgent.addWorkUnits([{ name: 'first', data: {} }]);
  const [first] = await worker.requestAttempts();
  expect(first?.workUnit.name).toBe('first');
  await worker.requestAttempts();
  await first?.retry();
  expect((await worker.requestAttempts())[0]?.workUnit.name).toBe('first');

  for (let index = 0; index < specCount; index++) {
    await (await namespace.workSpec(`spec ${index}`)).setMeta({ paused: true });
  }
  expect(await worker.requestAttempts()).toEqual([]);
});

test('a spec that another process has paused or emptied is passed by', async () => {
  const namespace = await namespaceWithSpecs('emptied');
  const worker = await namespace.worker('worker');
  await worker.requestAttempts();
  const other = await (await database.connect()).namespace('emptied');
  for (let index = 0; index < specCount; index++) {
    const spec = await other.workSpec(`spec ${index}`);
    if (index % 2 === 0) await spec.setMeta({ paused: true });
    else if (index > 1) await spec.deleteWorkUnits();
  }
  const claimed = await claimAll(namespace);
  expect(claimed.every((name) => name.startsWith('spec 1 '))).toBe(true);
});
