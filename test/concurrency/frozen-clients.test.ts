import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Namespace, Worker } from '../../src/index.js';
import { testDatabase } from '../support/database.js';
import type { FrozenClientsTasks } from './frozen-clients.process.js';
import { testProcesses } from './processes.js';
import { atGate, closeGate, openTransaction, soon, untilBlocked, untilSettledOrBlocked } from './waiting.js';

/*
 * All claims of a bucket pass through one gate. A client that stops at the wrong moment (suspended, swapped out, computing for a
 * minute without giving way, cut off from the network) must not keep it closed.
 */

const database = await testDatabase();
const processes = testProcesses<FrozenClientsTasks>(new URL('frozen-clients.process.ts', import.meta.url));
const place = { url: database.url, schema: database.schema, namespace: 'frozen' };

let namespace: Namespace;
let others: Worker;
beforeAll(async () => {
  namespace = await (await database.connect()).namespace('frozen');
  const plenty = await namespace.setWorkSpec({ name: 'plenty' });
  await plenty.addWorkUnits(Array.from({ length: 1_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  others = await namespace.worker('another');
});

async function expectOthersClaim(): Promise<void> {
  const attempts = await soon(others.requestAttempts({ workSpecs: ['plenty'] }), 'a claim of another client');
  expect(attempts).toHaveLength(1);
}

/** A client whose claim of so many units has been sent, and waits at the gate. */
async function sentClaim(workSpec: string, units: number) {
  const client = await processes.start();
  onTestFinished(() => client.kill());
  const gate = await closeGate(database);
  const answer = client.run('claim', { ...place, workSpec, units });
  answer.catch(() => undefined);
  await untilBlocked(database, atGate);
  return { client, gate, answer };
}

/** Would show a gate that is opened by the client that closed it, and not by the server. */
test.each(['SIGSTOP', 'SIGKILL'] as const)('a client that gets %s when its claim is sent does not keep the gate closed', async (signal) => {
  const spec = await namespace.setWorkSpec({ name: signal });
  await spec.addWorkUnit('unit', {});
  const { client, gate } = await sentClaim(signal, 1);
  client.signal(signal);
  await gate.open();
  await expectOthersClaim();
});

/**
 * Would show an answer so large that it does not fit into the buffers between the server and a client that has stopped reading:
 * the server waits for it to read on, with the gate closed.
 */
test('a frozen client that claimed as much as it may does not keep the gate closed', async () => {
  const spec = await namespace.setWorkSpec({ name: 'large' });
  for (let part = 0; part < 10; part++) {
    const units = Array.from({ length: 1_000 }, (_, index) => ({ name: `unit ${part} ${index} `.padEnd(1_000, 'x'), data: {} }));
    await spec.addWorkUnits(units);
  }
  const { client, gate } = await sentClaim('large', 10_000);
  client.signal('SIGSTOP');
  await gate.open();
  await expectOthersClaim();
});

/** Would show a look for the reason of an empty claim that closes the gate and leaves it to its client to open it. */
test('a client that is frozen after a claim that found nothing does not keep the gate closed', async () => {
  const spec = await namespace.setWorkSpec({ name: 'locked' });
  await spec.addWorkUnit('locked', {});
  const busy = await openTransaction(database);
  await busy.query(`select from ${database.bucket}.ready where name = 'locked' for update`);
  const { client, gate, answer } = await sentClaim('locked', 1);
  // The gate is closed again right behind that claim: if the client comes back to it, that is seen.
  const closing = closeGate(database);
  await untilBlocked(database, atGate, 2);
  await gate.open();
  const behind = await closing;
  await untilSettledOrBlocked(answer, database, atGate);
  client.signal('SIGSTOP');
  await behind.open();
  await expectOthersClaim();
});

/** Would show a destruction that passes the gate and leaves it to its client to open it. */
test('a client that is frozen while it destroys a spec does not keep the gate closed', async () => {
  await namespace.setWorkSpec({ name: 'to be destroyed' });
  const client = await processes.start();
  onTestFinished(() => client.kill());
  const gate = await closeGate(database);
  client.run('destroy', { ...place, workSpec: 'to be destroyed' }).catch(() => undefined);
  await untilBlocked(database, atGate);
  client.signal('SIGSTOP');
  await gate.open();
  await expectOthersClaim();
});

/** Would show any other moment at which a client has closed the gate and not yet sent what opens it. */
test('a client that is frozen at any moment does not keep the gate closed', async () => {
  const client = await processes.start();
  onTestFinished(() => client.kill());
  client.run('everything', place).catch(() => undefined);
  for (let round = 0; round < 150; round++) {
    const before = client.told.length;
    await client.untilTold((told) => told.length > before + 5);
    await wait(Math.random() * 3);
    client.signal('SIGSTOP');
    await expectOthersClaim();
    client.signal('SIGCONT');
  }
});
