import { randomUUID } from 'node:crypto';
import type { Attempt, NewWorkUnit, PostgresCoordinate, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { freezeTime } from '../../database/frozen-time.js';
import { testDatabase } from '../../support/database.js';
import { countedOwnConnection } from '../producers/statements.js';

/*
 * Who was woken claims by a statement of its own at first, which finds what was added since or nothing. Whatever there is, what he gets is what anybody would.
 */

const database = await testDatabase();
const clock = new ManualClock(new Date('2031-05-06T07:08:09Z'));
const counted = await countedOwnConnection(database);
const elsewhere = await database.connect();
const clocked = await database.connect({ clock });
afterAll(() => counted.close());

interface Place {
  readonly namespace: PostgresNamespace;
  readonly spec: WorkSpec;
  readonly worker: Worker;
}

/** A worker that has claimed a unit of the spec, and has found no other since. */
async function dry(coordinate: PostgresCoordinate): Promise<Place> {
  const namespace = await coordinate.namespace(randomUUID());
  onTestFinished(() => namespace.destroy());
  const spec = await namespace.setWorkSpec({ name: 'spec' });
  const worker = await namespace.worker('worker');
  await spec.addWorkUnit('first', {});
  const [attempt] = await worker.requestAttempts({ workSpecs: ['spec'] });
  await attempt!.finish();
  expect(await worker.requestAttempts({ workSpecs: ['spec'] })).toEqual([]);
  return { namespace, spec, worker };
}

const named = (count: number): NewWorkUnit[] => Array.from({ length: count }, (_, index) => ({ name: `${100 + index}`, data: { index } }));

const request = { workSpecs: ['spec'], numberOfWorkUnits: 24, lifetimeMs: 60_000 };

interface State {
  /** Whether the statement for who was woken finds it, so that there is no other. */
  readonly isFresh: boolean;
  readonly prepare: (place: Place) => Promise<unknown>;
  readonly ask?: object;
}

const states: Readonly<Record<string, State>> = {
  'one unit': { isFresh: true, prepare: ({ spec }) => spec.addWorkUnit('unit', { path: '/a' }) },
  'some, of several priorities': {
    isFresh: true,
    prepare: async ({ spec }) => {
      await spec.addWorkUnits(named(5));
      await spec.addWorkUnit('urgent', {}, { priority: 7 });
      await spec.addWorkUnit('late', {}, { priority: -7 });
    },
  },
  'fewer asked for': { isFresh: true, prepare: ({ spec }) => spec.addWorkUnits(named(9)), ask: { numberOfWorkUnits: 4 } },
  'more than it finds': { isFresh: false, prepare: ({ spec }) => spec.addWorkUnits(named(40)) },
  'as many as it finds, and more may not be returned': {
    isFresh: true,
    prepare: async ({ namespace, spec }) => {
      await namespace.setWorkSpec({ name: 'spec', max_getwork: 15 });
      await spec.addWorkUnits(named(40));
    },
  },
  'fewer may be returned': {
    isFresh: true,
    prepare: async ({ namespace, spec }) => {
      await namespace.setWorkSpec({ name: 'spec', max_getwork: 2 });
      await spec.addWorkUnits(named(5));
    },
  },
  'large payloads': { isFresh: true, prepare: ({ spec }) => spec.addWorkUnits([1, 2, 3].map((each) => ({ name: `${each}`, data: { large: 'x'.repeat(3_000 * each ** 4) } }))) },
  'a unit that was tried before': {
    isFresh: true,
    prepare: async ({ spec, worker }) => {
      await spec.addWorkUnit('unit', {});
      const [attempt] = await worker.requestAttempts(request);
      await attempt!.retry();
    },
  },
  'nothing': { isFresh: true, prepare: () => Promise.resolve() },
  'units in ranges': { isFresh: false, prepare: ({ spec }) => spec.addWorkUnits(named(60)) },
  'units in front of those in ranges': {
    isFresh: false,
    prepare: async ({ spec }) => {
      await spec.addWorkUnits(named(60));
      await spec.addWorkUnit('urgent', {}, { priority: 3 });
    },
  },
  'units in an older generation': {
    isFresh: false,
    prepare: async ({ spec }) => {
      await spec.addWorkUnits(named(3));
      await database.query(`select setval('${database.bucket}.ready_open', (select last_value + 1 from ${database.bucket}.ready_open))`);
      await database.query(`select setval('${database.bucket}.ready_closed', (select last_value - 1 from ${database.bucket}.ready_open))`);
      await spec.addWorkUnit('!', {});
    },
  },
  'a paused spec': {
    isFresh: false,
    prepare: async ({ spec }) => {
      await spec.addWorkUnits(named(3));
      await spec.setMeta({ paused: true });
    },
  },
  'a limit of those that run': {
    isFresh: false,
    prepare: async ({ spec }) => {
      await spec.setMeta({ maxRunning: 2 });
      await spec.addWorkUnits(named(3));
    },
  },
  'another runtime': {
    isFresh: false,
    prepare: async ({ namespace, spec }) => {
      await namespace.setWorkSpec({ name: 'spec', runtime: 'python' });
      await spec.addWorkUnits(named(3));
    },
    ask: { runtimes: ['go'] },
  },
  'too little memory': {
    isFresh: false,
    prepare: async ({ namespace, spec }) => {
      await namespace.setWorkSpec({ name: 'spec', min_gb: 4 });
      await spec.addWorkUnits(named(3));
    },
    ask: { availableGb: 2 },
  },
  'a unit whose retries are spent': {
    isFresh: false,
    prepare: async ({ namespace, spec, worker }) => {
      await namespace.setWorkSpec({ name: 'spec', max_retries: 1 });
      await spec.addWorkUnit('spent', {}, { priority: 1 });
      const [attempt] = await worker.requestAttempts(request);
      await attempt!.retry();
      await spec.addWorkUnits(named(3));
    },
  },
};

describe('who was woken gets what anybody would, where there is', () => {
  test.each(Object.keys(states))('%s', async (state) => {
    const { prepare, ask, isFresh } = states[state]!;
    const claimed: unknown[] = [];
    for (const isWoken of [true, false]) {
      const place = await dry(counted.coordinate);
      const { namespace, spec } = place;
      await prepare(place);
      // Nobody else knows what there was.
      const asks = isWoken ? place.worker : await (await elsewhere.namespace(namespace.name)).worker('worker');
      if (isWoken) {
        // Once more, as preparing may have claimed something.
        namespace.bucket.directClaims.claimed(namespace.id, 'spec', (spec as unknown as { id: number }).id, { isDry: true });
        namespace.bucket.directClaims.woken(namespace.id);
        namespace.bucket.directClaims.woken(namespace.id);
      }
      counted.sentOf('');
      // What is remembered for a second is remembered for as long as the test looks.
      freezeTime();
      const attempts = await asks.requestAttempts({ ...request, ...ask });
      const sent = counted.sentOf('attempt.');
      if (isWoken) {
        expect(sent[0]).toBe('attempt.claim-fresh');
        expect(sent.filter((label) => label.startsWith('attempt.claim')).length === 1).toBe(isFresh);
        // For a second it is not tried again where it was of no use.
        namespace.bucket.directClaims.claimed(namespace.id, 'spec', (spec as unknown as { id: number }).id, { isDry: true });
        namespace.bucket.directClaims.woken(namespace.id);
        expect(namespace.bucket.directClaims.get(namespace.id, 'spec')?.isWoken).toBe(isFresh || state === 'more than it finds');
      } else expect(sent).not.toContain('attempt.claim-fresh');
      expect(attempts.map(({ number }) => number)).toEqual(attempts.map(({ number }) => number).toSorted((a, b) => a - b));
      claimed.push({
        names: attempts.map(({ workUnit }) => workUnit.name),
        data: attempts.map(({ data }) => data),
        counts: await spec.countWorkUnitStatus(),
        listed: (await asks.activeAttempts()).map(({ workUnit }) => workUnit.name).sort(),
      });
      await namespace.finishAll((await place.worker.activeAttempts()).map((attempt) => ({ attempt })));
    }
    expect(claimed[0]).toEqual(claimed[1]);
  });

  test.each([
    ['a lease that has run out', async ({ spec, worker }: Place) => {
      await spec.addWorkUnit('was lost', {}, { priority: 2 });
      await worker.requestAttempts(request);
      return ['was lost'];
    }],
    ['many such', async ({ spec, worker }: Place) => {
      await spec.addWorkUnits(named(20).map((unit) => ({ ...unit, meta: { priority: 2 } })));
      await worker.requestAttempts(request);
      return named(20).map(({ name }) => name);
    }],
    ['a delay that has passed', async ({ spec }: Place) => {
      await spec.addWorkUnit('was delayed', {}, { priority: 1, notBefore: new Date(clock.now().getTime() + 1_000) });
      return ['was delayed'];
    }],
  ] as const)('%s', async (_, prepare) => {
    const place = await dry(clocked);
    const { namespace, spec, worker } = place;
    const expected = await prepare(place);
    clock.advance(60_001);
    await spec.addWorkUnit('unit', {});
    namespace.bucket.directClaims.claimed(namespace.id, 'spec', (spec as unknown as { id: number }).id, { isDry: true });
    namespace.bucket.directClaims.woken(namespace.id);
    counted.sentOf('');
    const attempts: readonly Attempt[] = await worker.requestAttempts(request);
    expect(counted.sentOf('attempt.claim')[0]).toBe('attempt.claim-fresh');
    expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual([...expected, 'unit']);
  });

  test('one that somebody is changing: it is passed by', async () => {
    const { namespace, spec, worker } = await dry(counted.coordinate);
    await spec.addWorkUnits(named(3));
    const client = await database.client();
    await client.query('begin');
    await client.query(`select from ${database.bucket}.ready where name = $1 and spec_id = $2 for update`, [Buffer.from('100'), (spec as unknown as { id: number }).id]);
    namespace.bucket.directClaims.woken(namespace.id);
    counted.sentOf('');
    const attempts = await worker.requestAttempts(request);
    await client.query('rollback');
    expect(counted.sentOf('attempt.claim')).toEqual(['attempt.claim-fresh']);
    expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(['101', '102']);
    expect((await worker.requestAttempts(request)).map(({ workUnit }) => workUnit.name)).toEqual(['100']);
  });

  test('and what is behind such, where there is more', async () => {
    const { namespace, spec, worker } = await dry(counted.coordinate);
    await spec.addWorkUnits(named(40));
    const client = await database.client();
    await client.query('begin');
    await client.query(`select from ${database.bucket}.ready where name < $1 and spec_id = $2 for update`, [Buffer.from('103'), (spec as unknown as { id: number }).id]);
    namespace.bucket.directClaims.woken(namespace.id);
    counted.sentOf('');
    const attempts = await worker.requestAttempts(request);
    await client.query('rollback');
    expect(counted.sentOf('attempt.claim')[0]).toBe('attempt.claim-fresh');
    expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(named(27).slice(3).map(({ name }) => name));
  });

  test.each([
    ['many who ask for many get them from ranges at once', 200, ['attempt.claim-fresh', 'attempt.claim-whole-ranges']],
    ['few who ask for few have the first broken up', 24, ['attempt.claim-fresh', 'attempt.claim', 'attempt.claim']],
  ] as const)('of %s', async (_, numberOfWorkUnits, statements) => {
    const { namespace, spec, worker } = await dry(counted.coordinate);
    await spec.addWorkUnits(named(300));
    namespace.bucket.directClaims.woken(namespace.id);
    counted.sentOf('');
    const attempts = await worker.requestAttempts({ ...request, numberOfWorkUnits });
    expect(counted.sentOf('attempt.claim')).toEqual(statements);
    expect(attempts.map(({ workUnit }) => workUnit.name)).toEqual(named(numberOfWorkUnits).map(({ name }) => name));
  });

  test('and of many who are woken each unit goes to one', async () => {
    const places = await Promise.all(Array.from({ length: 6 }, () => database.connect()));
    const { namespace, spec } = await dry(counted.coordinate);
    const workers = await Promise.all(
      places.map(async (coordinate) => {
        const own = await coordinate.namespace(namespace.name);
        own.bucket.directClaims.claimed(own.id, 'spec', (spec as unknown as { id: number }).id, { isDry: true });
        return { own, worker: await own.worker(randomUUID()) };
      }),
    );
    const names: string[] = [];
    counted.sentOf('');
    for (let round = 0; round < 20; round++) {
      await spec.addWorkUnits(Array.from({ length: 10 }, (_, each) => ({ name: `${round} ${each}`, data: {} })));
      const claimed = await Promise.all(
        workers.map(({ own, worker }) => {
          own.bucket.directClaims.claimed(own.id, 'spec', (spec as unknown as { id: number }).id, { isDry: true });
          own.bucket.directClaims.woken(own.id);
          return worker.requestAttempts({ workSpecs: ['spec'], numberOfWorkUnits: 3 });
        }),
      );
      names.push(...claimed.flat().map(({ workUnit }) => workUnit.name));
    }
    // Who has met others, or found nothing for himself, does without for a while.
    expect(counted.sentOf('attempt.claim-fresh').length).toBeGreaterThanOrEqual(6);
    for (const { worker } of workers) {
      for (let [attempt] = await worker.requestAttempts({ workSpecs: ['spec'] }); attempt !== undefined; [attempt] = await worker.requestAttempts({ workSpecs: ['spec'] })) {
        names.push(attempt.workUnit.name);
      }
    }
    expect(names).toHaveLength(200);
    expect(new Set(names).size).toBe(200);
  });
});
