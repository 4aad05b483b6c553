import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { PostgresWorkSpec } from '../../src/core/work-spec/postgres-work-spec.js';
import { until } from '../database/until.js';
import { Client, request } from './client.js';
import { served } from './served.js';

const { client: newClient } = await served();

describe('a client that sends without reading', () => {
  test('is kept waiting, and gets every answer when it reads', async () => {
    const { namespace, server } = await newClient();
    await namespace.setWorkSpec({ name: 'spec', big: 'x'.repeat(1_000_000) });
    const slow = await Client.connect(server, { paused: true });
    const quick = await Client.connect(server);
    const before = process.memoryUsage().arrayBuffers;
    const reads = vi.spyOn(PostgresWorkSpec.prototype, 'data');
    onTestFinished(() => reads.mockRestore());
    // 90 MB of answers.
    const count = 90;
    for (let id = 1; id <= count; id++) slow.socket.write(request(id, 'get_work_spec', ['spec']));
    await until('no more of them are made', async () => {
      const made = reads.mock.calls.length;
      // Others are served meanwhile, who take longer than an answer.
      for (let id = 0; id < 20; id++) await quick.call('get_work_spec_meta', 'spec');
      return made > 0 && reads.mock.calls.length === made;
    });
    // No more than the buffers of a connection hold.
    expect(reads.mock.calls.length).toBeLessThan(count / 2);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60_000_000);
    slow.socket.resume();
    for (let id = 1; id <= count; id++) expect((await slow.next()).length).toBeGreaterThan(1_000_000);
    slow.close();
    quick.close();
  });

  test('and never reads is let go', async () => {
    const { client, namespace, server } = await newClient({ writeMs: 50 });
    await namespace.setWorkSpec({ name: 'spec', big: 'x'.repeat(10_000_000) });
    const slow = await Client.connect(server, { paused: true });
    slow.socket.write(Buffer.concat(Array.from({ length: 10 }, (_, id) => request(id, 'get_work_spec', ['spec']))));
    // The other client is the one that is left.
    do await client.call('now');
    while (server.connections > 1);
    slow.close();
  });
});
