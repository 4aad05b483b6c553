import { randomUUID } from 'node:crypto';
import type { EventStream, NamespaceEvent } from 'pg-coordinate';
import { connectRest, serveRest } from 'pg-coordinate/rest';
import { describe, expect, onTestFinished, test } from 'vitest';
import { caught } from '../../database/caught.js';
import { until } from '../../database/until.js';
import { steadyPort } from '../../support/steady-port.js';
import { serving } from '../server/serving.js';
import { plainServer } from './plain-server.js';

const { server, coordinate: behind, database } = await serving();

async function followed(url = server.url) {
  const coordinate = await connectRest(url);
  onTestFinished(() => coordinate.close());
  const name = randomUUID();
  const spec = await (await behind.namespace(name)).setWorkSpec({ name: 's' });
  return { coordinate, spec, namespace: await coordinate.namespace(name) };
}

async function take(events: EventStream): Promise<NamespaceEvent | undefined> {
  return (await events.next()).value;
}

describe('events over HTTP', () => {
  test('are those of the queue', async () => {
    const { namespace, spec } = await followed();
    const events = namespace.events();
    await events.ready;
    await spec.addWorkUnit('unit', {});
    const [attempt] = await (await namespace.worker('worker')).requestAttempts();
    await attempt!.fail();
    const about = { workSpec: 's', workUnit: 'unit', attempt: attempt!.number, worker: 'worker', time: attempt!.startTime };
    expect([await take(events), await take(events), await take(events)]).toEqual([
      { kind: 'added', workSpec: 's', count: 1 },
      { kind: 'started', ...about },
      { kind: 'failed', ...about },
    ]);
    await events.return();
    expect(await events.next()).toEqual({ done: true, value: undefined });
  });

  test('end by breaking out of the loop, and then nobody is told any more', async () => {
    const { namespace, spec } = await followed();
    const events = namespace.events();
    await events.ready;
    await spec.addWorkUnit('unit', {});
    for await (const event of events) {
      expect(event.kind).toBe('added');
      break;
    }
    await until('nobody watches', async () => (await database.query(`select from ${database.bucket}.watcher`)).length === 0);
  });

  test('end by the signal, before and while they are waited for', async () => {
    const { namespace } = await followed();
    const controller = new AbortController();
    const events = namespace.events({ signal: controller.signal });
    await events.ready;
    const next = events.next();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    expect(await namespace.events({ signal: AbortSignal.abort() }).next()).toEqual({ done: true, value: undefined });
    await namespace.events().return();
    expect(() => namespace.events({ signal: 'now' as never })).toThrow(/signal/);
  });

  test('end with Closed when the coordinate is closed', async () => {
    const { coordinate, namespace } = await followed();
    const events = namespace.events();
    await events.ready;
    const next = caught(events.next());
    await coordinate.close();
    expect(await next).toMatchObject({ code: 'Closed' });
    await expect(namespace.events().ready).rejects.toMatchObject({ code: 'Closed' });
  });

  test('go on when the server comes back, and say that something was missed', async () => {
    const port = await steadyPort();
    const first = await serveRest({ coordinate: behind, port });
    const { namespace, spec } = await followed(first.url);
    const events = namespace.events();
    await events.ready;
    await first.stop();
    await spec.addWorkUnit('unseen', {});
    const next = events.next();
    const second = await serveRest({ coordinate: behind, port });
    onTestFinished(() => second.stop());
    expect(await next).toEqual({ done: false, value: { kind: 'missed' } });
    await spec.addWorkUnit('seen', {});
    expect(await take(events)).toEqual({ kind: 'added', workSpec: 's', count: 1 });
    await events.return();
  });

  test('are not to be had of a server that only speaks the protocol', async () => {
    const plain = await plainServer(server.url);
    const coordinate = await connectRest(plain.url);
    await expect((await coordinate.namespace('plain')).events().next()).rejects.toMatchObject({ code: 'NotOffered' });
    await coordinate.close();
    await plain.stop();
  });
});
