import { describe, expect, test } from 'vitest';
import { closeGate } from '../concurrency/waiting.js';
import { until, untilWaiting } from '../database/until.js';
import { answerOf, bytes, Client, message, request, tuple } from './client.js';
import { encodeValue } from '../../src/codec/index.js';
import { served } from './served.js';

const { client: newClient, database } = await served();

describe('work that is claimed for a client that has gone', () => {
  test.each([
    ['breaks off', (client: Client) => void client.socket.resetAndDestroy()],
    ['closes', (client: Client) => client.close()],
    ['ends its side', (client: Client) => void client.socket.end()],
  ])('while the claim was under way is available again at once: it %s', async (_, leave) => {
    const { client, namespace, server } = await newClient();
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnits(['a', 'b'].map((name) => ({ name, data: {} })));
    const leaving = await Client.connect(server);
    const gate = await closeGate(database);
    leaving.socket.write(request(1, 'get_work', ['worker', { max_jobs: 2 }]));
    await untilWaiting(database);
    leave(leaving);
    for (let looks = 0; looks < 3; looks++) await client.call('now');
    await gate.open();
    for (const unit of await spec.workUnits()) {
      await until('it was claimed', async () => (await unit.numAttempts()) === 1);
      await until('it is given back', async () => (await unit.status()) === 'available');
    }
    leaving.close();
  });

  test('is not told of to one that has only ended its side, as nobody can know', async () => {
    const { client, namespace, server } = await newClient();
    await (await namespace.setWorkSpec({ name: 'spec' })).addWorkUnit('a', {});
    const half = await Client.connect(server);
    half.socket.end(Buffer.concat([request(1, 'get_work', ['worker', {}]), request(2, 'now', [])]));
    const [work, now] = (await half.closed()).map((answer) => answerOf(answer));
    expect(now).toMatchObject({ id: 2, result: 1_795_165_000 });
    // Its end may not have come before the unit was claimed.
    if (work?.error !== undefined) {
      expect(work.error.message).toMatch(/ended its side/);
      expect(await client.call('get_work', 'other', {})).toEqual([tuple('spec', bytes('a'), {}), null]);
    }
  });
});

describe('work whose answer would be too large', () => {
  test('is available again at once', async () => {
    const { client, namespace } = await newClient({ maxAnswerBytes: 2_000 });
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnit('large', { text: 'x'.repeat(3_000) });
    expect(await client.refused('get_work', 'worker', {})).toMatch(/larger than the 2000 bytes/);
    expect(await client.refused('get_work', 'worker', { max_jobs: 2 })).toMatch(/larger than the 2000 bytes/);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
  });

  test('because of what stands before it in the same message is available again, too', async () => {
    const { client, namespace } = await newClient({ maxAnswerBytes: 2_000 });
    const spec = await namespace.setWorkSpec({ name: 'spec', text: 'x'.repeat(900) });
    await spec.addWorkUnit('a', { text: 'x'.repeat(1_500) });
    const calls = [
      { id: 1, method: 'get_work_spec', params: ['spec'] },
      { id: 2, method: 'get_work', params: ['worker', {}] },
    ];
    client.socket.write(message(encodeValue(calls)));
    const [first, second] = answerOf(await client.next()) as unknown as { result?: unknown; error?: { message: string } }[];
    expect([first?.error, second?.error?.message]).toEqual([undefined, expect.stringMatching(/would be larger/)]);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 1 });
  });
});

describe('an answer about the same unit again and again', () => {
  test('counts each time against what an answer may hold', async () => {
    const { client, namespace } = await newClient({ maxAnswerBytes: 10_000 });
    const spec = await namespace.setWorkSpec({ name: 'spec' });
    await spec.addWorkUnit('failed', {});
    const [attempt] = await (await namespace.worker('w')).requestAttempts();
    await attempt?.fail({ traceback: 'x'.repeat(5_000) });
    expect(await client.call('get_work_unit_status', 'spec', ['failed'])).toMatchObject([[{ status: 5 }], null]);
    // 1.5 GB, were it made.
    expect(await client.refused('get_work_unit_status', 'spec', Array.from({ length: 300_000 }, () => 'failed'))).toMatch(/larger than the 10000 bytes/);
  });
});
