import { randomUUID } from 'node:crypto';
import type { PostgresNamespace, WorkSpec } from 'pg-coordinate';
import { serveRest } from 'pg-coordinate/rest';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import { until } from '../../database/until.js';
import { askingOf, serveAgain, serving, type Answered } from './serving.js';

const { ask, clock, coordinate, database } = await serving();
let namespace: PostgresNamespace;
let spec: WorkSpec;
let url: string;
const minute = 60e9;

/** How many wait in a namespace. In others somebody may have answered already, but not yet taken back that he waits. */
const waiting = async ({ id }: PostgresNamespace = namespace): Promise<number> => {
  const [row] = await database.query<{ count: string }>(
    `select count(*) from ${database.bucket}.waiter where waiting and namespace_id = $1`,
    [id],
  );
  return Number(row?.count);
};

/** Asks on another server, and resolves once that waits in the database; `answer` is what comes then. */
async function askAndWait(at: string): Promise<{ answer: Promise<Answered> }> {
  const answer = askingOf(at)('POST', url, { body: { wait: minute } });
  await until('somebody waits', async () => (await waiting()) > 0);
  return { answer };
}

describe('a request for work that waits', () => {
  beforeEach(async () => {
    namespace = await coordinate.namespace(randomUUID());
    spec = await namespace.setWorkSpec({ name: 's' });
    url = `/namespace/${namespace.name}/worker/w/request_attempts`;
  });

  test('is answered at once when there is some', async () => {
    await spec.addWorkUnit('a', {});
    expect((await ask('POST', url, { body: { wait: minute } })).json.attempts).toHaveLength(1);
    expect(await waiting()).toBe(0);
  });

  test('is answered when some is added, by whatever server', async () => {
    const { answer } = await askAndWait((await serveAgain(await database.connect({ clock }))).url);
    await ask('POST', `/namespace/${namespace.name}/work_spec/s/work_unit`, { body: { name: 'b' } });
    expect((await answer).json.attempts).toHaveLength(1);
  });

  test('is answered with nothing when its time is over', async () => {
    expect((await ask('POST', url, { body: { wait: 1e6 } })).json).toEqual({ attempts: null });
  });

  test('waits no longer than the server allows', async () => {
    const impatient = await serveAgain(coordinate, { longestWaitMs: 1 });
    expect((await askingOf(impatient.url)('POST', url, { body: { wait: 3_155_760_000_000_000_000 } })).json).toEqual({ attempts: null });
  });

  test('is answered with nothing when the server stops', async () => {
    const other = await serveRest({ coordinate, port: 0 });
    const { answer } = await askAndWait(other.url);
    await other.stop();
    expect((await answer).json).toEqual({ attempts: null });
    expect(await waiting()).toBe(0);
  });

  test('is given up when its client goes', async () => {
    const leaving = new AbortController();
    const gone = fetch(new URL(url, (await serveAgain(coordinate)).url), {
      method: 'POST',
      signal: leaving.signal,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ wait: minute }),
    });
    await until('somebody waits', async () => (await waiting()) > 0);
    leaving.abort();
    await expect(gone).rejects.toThrow();
    await until('nobody waits', async () => (await waiting()) === 0);
    await spec.addWorkUnit('c', {});
    expect(await (await spec.workUnit('c')).status()).toBe('available');
  });
});

describe('many requests that wait', () => {
  const many = 200;

  test('cost one claim for all of them when there is nothing for them, and few when there is something for one', async () => {
    const { url: at } = await serveAgain(coordinate);
    const crowd = await coordinate.namespace('crowd');
    const crowded = await crowd.setWorkSpec({ name: 's' });
    const asking = askingOf(at);
    const body = { wait: minute, work_specs: ['s'] };
    const answers: Answered[] = [];
    const ask = (name: string): Promise<unknown> =>
      asking('POST', `/namespace/crowd/worker/${name}/request_attempts`, { body }).then((answer) => answers.push(answer));
    const waiters = [ask('first')];
    await until('somebody waits', async () => (await waiting(crowd)) === 1);
    const claims = vi.spyOn(PostgresWorker.prototype, 'requestAttempts');
    try {
      for (let n = 0; n < many; n++) waiters.push(ask(`w${n}`));
      await until('all are known', async () => (await crowd.workers({ limit: 1_000 })).length === many + 1);
      const arrived = claims.mock.calls.length;
      expect(arrived).toBeLessThan(many / 4);

      await crowded.addWorkUnit('other work', {});
      await until('one is answered', () => answers.length === 1);
      expect(claims.mock.calls.length - arrived).toBeLessThan(20);

      // As many as there is work for, whoever they are.
      await crowded.addWorkUnits(Array.from({ length: many }, (_, n) => ({ name: `unit ${n}`, data: {} })));
      await Promise.all(waiters);
      expect(claims.mock.calls.length - arrived).toBeLessThan(3 * many);
    } finally {
      claims.mockRestore();
    }
    const units = answers.map(({ json }) => json.attempts[0].work_unit_name);
    expect(new Set(units).size).toBe(many + 1);
    await until('nobody waits', async () => (await waiting(crowd)) === 0);
  });

  test('that all come at once, as to a server that was started again, do not all claim', async () => {
    const { url: at } = await serveAgain(coordinate);
    const burst = await coordinate.namespace('burst');
    const spec = await burst.setWorkSpec({ name: 's' });
    const { requestAttempts } = PostgresWorker.prototype;
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    // None of them is answered before all have come.
    const claims = vi.spyOn(PostgresWorker.prototype, 'requestAttempts').mockImplementation(async function (this: PostgresWorker, request) {
      await opened;
      return requestAttempts.call(this, request);
    });
    try {
      const body = { wait: minute, work_specs: ['s'] };
      const answers = Array.from({ length: many }, (_, n) => askingOf(at)('POST', `/namespace/burst/worker/w${n}/request_attempts`, { body }));
      await until('all are known', async () => (await burst.workers({ limit: 1_000 })).length === many);
      open();
      await until('they wait', async () => (await waiting(burst)) === 1);
      expect(claims.mock.calls.length).toBeLessThan(40);
      await spec.addWorkUnits(Array.from({ length: many }, (_, n) => ({ name: `unit ${n}`, data: {} })));
      const units = (await Promise.all(answers)).map(({ json }) => json.attempts[0].work_unit_name);
      expect(new Set(units).size).toBe(many);
    } finally {
      open();
      claims.mockRestore();
    }
  });

  test('who asks for something else is served beside those for whom there is nothing', async () => {
    const server = await serveAgain(coordinate);
    const others = await coordinate.namespace('others');
    const wanted = await others.setWorkSpec({ name: 'wanted' });
    const ask = (name: string, work_specs: string[]): Promise<Answered> =>
      askingOf(server.url)('POST', `/namespace/others/worker/${name}/request_attempts`, { body: { wait: minute, work_specs } });
    const patient = ask('patient', ['nothing']);
    await until('somebody waits', async () => (await waiting(others)) === 1);
    const served = ask('served', ['wanted']);
    await until('both have come', async () => (await others.workers()).length === 2);
    await wanted.addWorkUnit('x', {});
    expect((await served).json.attempts).toHaveLength(1);
    await server.stop();
    expect((await patient).json).toEqual({ attempts: null });
  });
});
