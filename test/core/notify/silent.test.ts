import { randomUUID } from 'node:crypto';
import { connect } from 'pg-coordinate';
import { createWorker } from 'pg-coordinate/worker';
import { expect, test } from 'vitest';
import { onCancelled } from '../../../src/core/notify/on-cancelled.js';
import { workSignal } from '../../../src/core/notify/work-signal.js';
import { freezableProxy } from '../../database/freezable-proxy.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();
const application = `pg-coordinate test ${database.schema}`;

test('where LISTEN is never answered, work is found by looking, and nobody waits for ever', async () => {
  const proxy = await freezableProxy(database.url, (sent) => sent.includes('listen "'));
  const coordinate = await connect(proxy.url, { schema: database.schema, pool: { application_name: application } });
  const namespace = await coordinate.namespace(randomUUID());
  const spec = await namespace.setWorkSpec({ name: 's' });
  const signal = workSignal(namespace);
  await signal.arm();
  expect(signal.connected).toBe(false);
  await signal.close();
  await (await onCancelled(namespace, () => undefined))();

  await spec.addWorkUnit('a', {});
  const ran: string[] = [];
  const worker = createWorker({
    coordinate,
    namespace: namespace.name,
    handlers: { s: { run: ({ name }: { name: string }) => void ran.push(name) } },
  });
  await worker.start();
  await until('the unit was run', () => ran.includes('a'));
  await worker.stop();
  await coordinate.close();
});
