import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Attempt } from '../../../src/index.js';
import { testProcesses } from '../../concurrency/processes.js';
import { beforeNextLook } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import type { BlockedThreadTasks } from './blocked-thread.process.js';

/*
 * The reason for the thread: a handler that does not give way to the event loop for longer than its lease lasts.
 */

const database = await testDatabase();
const coordinate = await database.connect();
const processes = testProcesses<BlockedThreadTasks>(new URL('blocked-thread.process.ts', import.meta.url));

/** A unit in a namespace of its own. */
async function place() {
  const namespace = await coordinate.namespace(randomUUID());
  await (await namespace.setWorkSpec({ name: 'spec' })).addWorkUnit('unit', {});
  const other = await namespace.worker('other');
  return { other, url: database.url, schema: database.schema, namespace: namespace.name };
}

test('a worker whose event loop is blocked for longer than the lifetime keeps its lease', async () => {
  const { other, ...at } = await place();
  const child = await processes.start();
  const finished = child.run('block', { ...at, lifetimeMs: 5_000, runMs: Number.POSITIVE_INFINITY, blockedMs: 12_000 });
  await child.untilTold((told) => told.includes('blocked'));
  const taken: Attempt[] = [];
  while (!child.told.includes('free')) {
    taken.push(...(await other.requestAttempts()));
    await beforeNextLook();
  }
  expect(taken).toEqual([]);
  expect(await finished).toBeNull();
});

test('one that is blocked for longer than its maximum run time loses it, and its report is refused', async () => {
  const { other, ...at } = await place();
  const child = await processes.start();
  const finished = child.run('block', { ...at, lifetimeMs: 500, runMs: 500, blockedMs: 6_000 });
  await child.untilTold((told) => told.includes('blocked'));
  const taken: Attempt[] = [];
  while (taken.length === 0) {
    await beforeNextLook();
    taken.push(...(await other.requestAttempts()));
  }
  expect(child.told).not.toContain('free');
  await taken[0]!.finish();
  expect(await finished).toBe('NotPending');
});

test('a keeper does not keep its process alive', async () => {
  const at = await place();
  const child = await processes.start();
  await expect(child.run('holdAndEnd', { url: at.url, schema: at.schema, namespace: at.namespace })).rejects.toThrow('the process ended (0)');
});
