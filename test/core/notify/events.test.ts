import { randomUUID } from 'node:crypto';
import { ClosedError, GoneError, type NamespaceEvent, type NamespaceEvents, type Worker, type WorkSpec, type PostgresNamespace } from 'pg-coordinate';
import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import { caught } from '../../database/caught.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { cutListener, overhear } from './waiting-worker.js';

const database = await testDatabase();
const application = `events of ${database.schema}`;
const coordinate = await database.connect();
const watching = await database.connect({ pool: { application_name: application } });
let namespace: PostgresNamespace;
let spec: WorkSpec;
let worker: Worker;
let events: NamespaceEvents;

beforeEach(async () => {
  const name = randomUUID();
  namespace = await coordinate.namespace(name);
  spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
  await namespace.setWorkSpec({ name: 'next', priority: -1 });
  worker = await namespace.worker('worker');
  events = (await watching.namespace(name)).events();
  await events.ready;
});
afterEach(async () => {
  await events.return();
  await namespace.destroy();
});

async function take(count: number, from = events): Promise<NamespaceEvent[]> {
  const taken: NamespaceEvent[] = [];
  while (taken.length < count) {
    const { value } = await from.next();
    if (value !== undefined) taken.push(value);
  }
  return taken;
}

/** Without what only tells who and when. */
function gist(event: NamespaceEvent): string {
  if (event.kind === 'missed') return 'missed';
  return event.kind === 'added' ? `added ${event.count} to ${event.workSpec}` : `${event.kind} ${event.workUnit}`;
}

async function gists(count: number): Promise<string[]> {
  return (await take(count)).map(gist);
}

/** Waits until others know that nobody watches. */
async function unwatched(): Promise<void> {
  await until('nobody watches', async () => {
    const rows = await database.query(`select from ${database.bucket}.watcher where namespace_id = $1`, [namespace.id]);
    return rows.length === 0;
  });
}

test('what one transaction adds is told and woken for once, and nothing of it is lost', async () => {
  let query: MockInstance | undefined;
  await coordinate.transaction(async (client) => {
    query = vi.spyOn(client.client, 'query');
    for (let unit = 0; unit < 20; unit++) await spec.addWorkUnit(`unit ${unit}`, {}, {}, { client });
  });
  const sent = query!.mock.calls.map(([statement]) => JSON.stringify(statement));
  query!.mockRestore();
  expect(sent.filter((statement) => statement.includes('notify.wake'))).toHaveLength(1);
  expect((await take(1)).map(gist)).toEqual(['added 20 to spec']);
});

describe('events', () => {
  test('tell what happens, in order, by name', async () => {
    await spec.addWorkUnits([{ name: 'one', data: {} }, { name: 'two', data: {} }]);
    const [one, two] = await worker.requestAttempts({ numberOfWorkUnits: 2 });
    await one!.finish({ output: ['out'] });
    await two!.fail();
    expect(await gists(6)).toEqual(['added 2 to spec', 'started one', 'started two', 'added 1 to next', 'finished one', 'failed two']);
  });

  test('tell who and when', async () => {
    await spec.addWorkUnit('unit', {});
    const [attempt] = await worker.requestAttempts();
    await attempt!.finish();
    const [, started, finished] = await take(3);
    const { endTime, startTime } = { ...(await attempt!.read()) };
    const what = { workSpec: 'spec', workUnit: 'unit', attempt: attempt!.number, worker: 'worker' };
    expect(started).toEqual({ kind: 'started', ...what, time: startTime });
    expect(finished).toEqual({ kind: 'finished', ...what, time: endTime });
  });

  test('tell of every end of an attempt', async () => {
    const attempts = [];
    for (const name of ['retried', 'expired', 'cancelled', 'failed']) {
      const unit = await spec.addWorkUnit(name, {});
      attempts.push(await worker.makeAttempt(unit));
    }
    const [retried, expired, cancelled, failed] = attempts;
    await take(8);
    await retried!.retry({}, 60_000);
    await expired!.expire();
    await expired!.expire();
    await cancelled!.workUnit.cancel('no longer wanted');
    await failed!.fail();
    await failed!.finish();
    expect(await gists(5)).toEqual(['retried retried', 'expired expired', 'cancelled cancelled', 'failed failed', 'finished failed']);
  });

  test('tell of attempts that have run out, whoever finds them', async () => {
    await spec.addWorkUnits(Array.from({ length: 3 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
    await worker.requestAttempts({ numberOfWorkUnits: 3, lifetimeMs: 1 });
    await until('they have run out', async () => (await spec.countWorkUnitStatus()).available === 3);
    expect((await gists(7)).slice(4).toSorted()).toEqual(['expired unit 0', 'expired unit 1', 'expired unit 2']);
  });

  test('tell of units that have had too many attempts, and of those of continuous specs', async () => {
    await spec.setMeta({ maxRetries: 1 });
    await spec.addWorkUnit('unit', {});
    const [attempt] = await worker.requestAttempts();
    await attempt!.retry();
    expect(await worker.requestAttempts()).toEqual([]);
    await namespace.setWorkSpec({ name: 'continuous', continuous: true });
    const [made] = await worker.requestAttempts();
    expect(await gists(5)).toEqual(['added 1 to spec', 'started unit', 'retried unit', 'failed unit', `started ${made!.workUnit.name}`]);
  });

  test('tell of many at once', async () => {
    await spec.addWorkUnits(Array.from({ length: 1_000 }, (_, index) => ({ name: `unit ${index}`, data: {} })));
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 1_000 });
    await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    const all = await gists(2_001);
    expect(all.filter((event) => event.startsWith('started'))).toHaveLength(1_000);
    expect(new Set(all.slice(1_001))).toEqual(new Set(attempts.map(({ workUnit }) => `finished ${workUnit.name}`)));
  });

  test('tell of what is committed in a caller’s transaction, and of nothing that is rolled back', async () => {
    await spec.addWorkUnit('unit', {});
    const [attempt] = await worker.requestAttempts();
    const client = await database.client();
    for (const ending of ['rollback', 'commit']) {
      await client.query('begin');
      await spec.addWorkUnits([{ name: ending, data: {} }], { client });
      await attempt!.finish({}, { client });
      await client.query(ending);
    }
    const undone = new Error('no');
    await caught(
      coordinate.transaction(async (transaction) => {
        await spec.addWorkUnits([{ name: 'never', data: {} }], { client: transaction });
        throw undone;
      }),
    );
    await coordinate.transaction((transaction) => spec.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }], { client: transaction }));
    expect(await gists(5)).toEqual(['added 1 to spec', 'started unit', 'added 1 to spec', 'finished unit', 'added 2 to spec']);
  });

  test('do not tell of other namespaces', async () => {
    const other = await coordinate.namespace(randomUUID());
    await (await other.setWorkSpec({ name: 'spec' })).addWorkUnit('elsewhere', {});
    await spec.addWorkUnits([{ name: 'here', data: {} }]);
    expect(await gists(1)).toEqual(['added 1 to spec']);
    await other.destroy();
  });

  test('of two listeners tell both', async () => {
    const others = (await coordinate.namespace(namespace.name)).events();
    await others.ready;
    await spec.addWorkUnit('unit', {});
    expect((await take(1, others)).map(gist)).toEqual(['added 1 to spec']);
    expect(await gists(1)).toEqual(['added 1 to spec']);
    await others.return();
  });

  test('drop the oldest, and say so, when nobody takes them', async () => {
    const other = await coordinate.namespace(randomUUID());
    const last = (await watching.namespace(other.name)).events();
    await last.ready;
    for (let round = 0; round < 11; round++) {
      await spec.addWorkUnits(Array.from({ length: 1_000 }, (_, index) => ({ name: `unit ${round} ${index}`, data: {} })));
    }
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 11_000 });
    expect(attempts).toHaveLength(11_000);
    await spec.addWorkUnits([{ name: 'last', data: {} }, { name: 'of all', data: {} }]);
    // Told last and heard by the same connection, so that all before it has been heard.
    await (await other.setWorkSpec({ name: 'spec' })).addWorkUnit('unit', {});
    await take(1, last);
    await until('all has come', async () => {
      const { value } = await events.next();
      return value?.kind === 'missed';
    });
    const rest = await gists(10_000);
    expect(rest.at(-1)).toBe('added 2 to spec');
    await last.return();
    await other.destroy();
  });

  test('say that something was missed when the connection was lost, and go on', async () => {
    await cutListener(database, application);
    expect(await gists(1)).toEqual(['missed']);
    await spec.addWorkUnit('unit', {});
    expect(await gists(1)).toEqual(['added 1 to spec']);
  });

  test('go on after a crash of the server has emptied what says who listens', async () => {
    await database.query(`truncate ${database.bucket}.watcher`);
    await database.query(`select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = $1`, [application]);
    expect(await gists(1)).toEqual(['missed']);
    await spec.addWorkUnit('unit', {});
    expect(await gists(1)).toEqual(['added 1 to spec']);
  });
});

describe('following events ends', () => {
  test('by breaking out of the loop, and then nobody is told any more', async () => {
    await spec.addWorkUnit('unit', {});
    for await (const event of events) {
      expect(event.kind).toBe('added');
      break;
    }
    expect(await events.next()).toEqual({ done: true, value: undefined });
    await unwatched();
    const heard = await overhear(database);
    await worker.requestAttempts();
    await spec.addWorkUnit('another', {});
    await heard.settle();
    expect(heard.payloads).toEqual([]);
  });

  test('by the signal, before and while it waits', async () => {
    const controller = new AbortController();
    const aborted = namespace.events({ signal: controller.signal });
    await aborted.ready;
    const next = aborted.next();
    controller.abort();
    expect(await next).toEqual({ done: true, value: undefined });
    const never = namespace.events({ signal: AbortSignal.abort() });
    expect(await never.next()).toEqual({ done: true, value: undefined });
  });

  test('with Closed when the coordinate is closed', async () => {
    const other = await database.connect();
    const closed = (await other.namespace(namespace.name)).events();
    await closed.ready;
    const next = caught(closed.next());
    await other.close();
    expect(await next).toBeInstanceOf(ClosedError);
  });

  test('before it has begun', async () => {
    const unused = namespace.events();
    await unused.return();
    expect(await unused.next()).toEqual({ done: true, value: undefined });
  });
});

test('of a namespace that is gone raise Gone', async () => {
  const gone = await coordinate.namespace(randomUUID());
  await gone.destroy();
  expect(await caught(gone.events().next())).toBeInstanceOf(GoneError);
});

test('refuse what is no signal', () => {
  expect(() => namespace.events({ signal: 'now' as never })).toThrow(/signal/);
});
