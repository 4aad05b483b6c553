import { describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import type { LostConnectionsTasks } from './lost-connections.process.js';
import { testProcesses } from './processes.js';
import { soon } from './waiting.js';

const database = await testDatabase();
const processes = testProcesses<LostConnectionsTasks>(new URL('lost-connections.process.ts', import.meta.url));

/** Would show a process that ends because a socket had an error to which nobody listened; and a pool that hands out a dead client. */
describe('a connection that the server ends', () => {
  test.each([
    ['between two statements of a transaction', 'betweenStatements', 'ConnectionLost'],
    ['before a transaction commits', 'beforeCommit', 'ConnectionLost'],
    ['while it is idle', 'idle', 'done'],
  ] as const)('%s does not end the process, and the next operation has another', async (_when, task, first) => {
    const process = await processes.start();
    const place = { url: database.url, schema: database.schema, namespace: 'lost' };
    expect(await process.run(task, place)).toEqual([first, 'done']);
  });
});

describe('close', () => {
  /** Would show operations that wait for ever for a client of a pool that has ended. */
  test.each([1, 2])('lets operations end that are under way, and those that wait for one of %i connections', async (max) => {
    const coordinate = await database.connect({ pool: { max } });
    const namespace = await coordinate.namespace('closing');
    const operations = Promise.allSettled(Array.from({ length: 6 }, (_, index) => namespace.worker(`worker ${index}`)));
    await soon(coordinate.close(), 'close');
    for (const outcome of await soon(operations, 'operations under way at close')) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'Closed' });
    }
    await expect(namespace.worker('late')).rejects.toMatchObject({ code: 'Closed' });
  });
});
