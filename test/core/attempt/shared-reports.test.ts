import { randomUUID } from 'node:crypto';
import { NotPendingError, type Attempt, type Namespace } from 'pg-coordinate';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { findAttempt } from '../../../src/core/attempt/find-attempts.js';
import { caught } from '../../database/caught.js';
import { untilWaiting } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { countedConnection } from '../producers/statements.js';

const database = await testDatabase();
const { coordinate, sent, close } = await countedConnection(database);
afterAll(close);

const label = 'attempt.end-undisturbed';
let namespace: Namespace;

beforeEach(async () => {
  namespace = await coordinate.namespace(randomUUID());
});

async function claimed(count: number, more: object = {}): Promise<Attempt[]> {
  const spec = await namespace.setWorkSpec({ name: 'spec', ...more });
  await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: count });
  sent(label);
  return attempts;
}

describe('attempts reported on one by one', () => {
  test('at the same moment are ended by one statement for each verdict, with data of their own', async () => {
    const attempts = await claimed(50);
    await Promise.all(attempts.map((attempt, index) => (index % 2 === 0 ? attempt.finish({ index }) : attempt.fail({ index }))));
    expect(sent(label)).toBe(2);
    const states = await Promise.all(attempts.map((attempt) => attempt.read()));
    expect(states.map(({ status, data }) => [status, data])).toEqual(attempts.map((_, index) => [index % 2 === 0 ? 'finished' : 'failed', { index }]));
  });

  test('with more data than a statement should have go by several', async () => {
    const attempts = await claimed(10);
    await Promise.all(attempts.map((attempt) => attempt.finish({ text: 'x'.repeat(1_000_000) })));
    expect(sent(label)).toBe(3);
    expect((await attempts[9]!.read()).status).toBe('finished');
  });

  test('one alone goes alone', async () => {
    const [attempt] = await claimed(1);
    await attempt?.finish();
    expect(sent(label)).toBe(1);
  });

  test('each is judged by itself', async () => {
    const attempts = await claimed(3);
    await attempts[1]?.workUnit.clearActiveAttempt();
    await attempts[1]?.expire();
    const verdicts = await Promise.all(attempts.map((attempt) => attempt.finish().then(() => null, (error: unknown) => error)));
    expect(verdicts).toEqual([null, expect.any(NotPendingError), null]);
  });

  test('of two reports on one attempt the first counts', async () => {
    const [first, other] = (await claimed(2)) as [Attempt, Attempt];
    const [one, two, three] = [first.finish({ by: 'one' }), first.finish({ by: 'two' }), other.finish()];
    expect(await caught(two)).toBeInstanceOf(NotPendingError);
    await Promise.all([one, three]);
    expect((await first.read()).data).toEqual({ by: 'one' });
    expect((await other.read()).status).toBe('finished');
  });

  test('output makes units of the next spec', async () => {
    const next = await namespace.setWorkSpec({ name: 'next' });
    const attempts = await claimed(20, { then: 'next' });
    await Promise.all(attempts.map((attempt, index) => attempt.finish(index < 10 ? { output: [`made ${index}`] } : undefined)));
    expect((await next.workUnits()).length).toBe(10);
    expect(await attempts[0]?.workUnit.workSpec.countWorkUnitStatus()).toEqual({ finished: 20 });
  });

  test('while somebody holds one of them, the others are ended', async () => {
    const [held, ...others] = (await claimed(4)) as [Attempt, ...Attempt[]];
    const client = await database.client();
    await client.query('begin');
    await held.fail({}, { client });
    const reports = [held, ...others].map((attempt) => attempt.finish());
    try {
      await Promise.all(reports.slice(1));
      await untilWaiting(database);
    } finally {
      await client.query('rollback');
    }
    await reports[0];
    expect((await held.read()).status).toBe('finished');
  });

  test('those asked for before the connection is closed are ended', async () => {
    const attempts = await claimed(3);
    const own = await database.connect();
    const theirs = await (await (await own.namespace(namespace.name)).worker('worker')).activeAttempts();
    const reports = theirs.map((attempt) => attempt.finish());
    await own.close();
    await Promise.all(reports);
    expect((await attempts[0]?.read())?.status).toBe('finished');
  });
});

test('attempts looked up one by one at the same moment are read by one statement', async () => {
  const attempts = await claimed(20);
  sent('attempt.list-named');
  const found = await Promise.all(attempts.map(({ workUnit, number }) => findAttempt(namespace, { workSpec: 'spec', workUnit: workUnit.key, number })));
  expect(sent('attempt.list-named')).toBe(1);
  expect(found.map((attempt) => (attempt as Attempt).number)).toEqual(attempts.map(({ number }) => number));
});
