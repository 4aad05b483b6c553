import { randomUUID } from 'node:crypto';
import { waitFor, type Namespace, type PostgresNamespace, type WorkSpec, type WorkUnit } from 'pg-coordinate';
import type { PostgresAttempt } from '../../../src/core/attempt/postgres-attempt.js';
import { findAttempts } from '../../../src/core/attempt/find-attempts.js';
import { attemptTimes } from '../../../src/core/telemetry/attempt-times.js';
import { PostgresWorker } from '../../../src/core/worker/postgres-worker.js';
import { until } from '../../database/until.js';
import { workSignal } from '../../../src/core/notify/work-signal.js';
import { makeDue, untilMadeDue } from '../delayed.js';
import { claimedOne, few, newUnits, onAllRunning, onAttempt, onAttempts, onRequest, onSpec, onTogether, type Operation, type Place } from './operation.js';

async function overdueUnit(place: Place): Promise<WorkUnit> {
  const attempt = await claimedOne(place);
  await attempt.renew(0);
  return attempt.workUnit;
}

async function unitJustDue({ database, connection: { spec } }: Place): Promise<void> {
  await spec.addWorkUnit(randomUUID(), {}, { priority: 1, notBefore: untilMadeDue });
  await makeDue(database);
}

async function askForWhatIsDue(place: Place): ReturnType<Operation['run']> {
  const statements = await onRequest({}, unitJustDue)(place);
  const { bucket, query } = place.database;
  const left = await query(`select from ${bucket}.delayed where not_before <= statement_timestamp()`);
  if (left.length > 0) throw new Error('what is due was not made available');
  return statements;
}

async function unitOf({ connection: { namespace } }: Place, specName: string): Promise<void> {
  await (await namespace.workSpec(specName)).addWorkUnit(randomUUID(), {});
}

/** One in front that may not run again, and one behind it. */
async function spentUnit({ connection: { namespace } }: Place): Promise<void> {
  const spec = await namespace.workSpec('spent');
  const worker = await namespace.worker(randomUUID());
  await spec.addWorkUnit(`!${randomUUID()}`, {}, { priority: 1 });
  for (const attempt of await worker.requestAttempts({ workSpecs: ['spent'] })) await attempt.retry();
  await spec.addWorkUnit(randomUUID(), {});
}

/** A unit is added while a worker of these specs sleeps, which may have it or not. */
async function addedWhileIdle({ namespace, explain }: Place['connection'], spec: WorkSpec, ...others: readonly string[]): ReturnType<Operation['run']> {
  const worker = await namespace.worker(randomUUID());
  if (!(worker instanceof PostgresWorker)) throw new Error('no worker of the database');
  let isGiven: boolean | undefined;
  const getUp = worker.takeWhileIdle(
    { workSpecs: [spec.name, ...others] },
    { room: () => 1, expect: (_, attempts) => void attempts.then(({ length }) => (isGiven = length === 1)) },
  );
  const statements = await explain(() => spec.addWorkUnit(randomUUID(), {}));
  await until('it is known whose it is', () => isGiven !== undefined);
  getUp();
  if (isGiven !== (others.length === 0)) throw new Error(`the unit was ${isGiven ? '' : 'not '}given to the worker`);
  return statements;
}

/** Registers, and takes that back. */
async function asleep(namespace: Namespace): Promise<void> {
  const signal = workSignal(namespace);
  await signal.arm();
  await signal.close();
}

export const operations: readonly Operation[] = [
  { name: 'adding units', mostRows: few, run: onSpec(({ spec }) => spec.addWorkUnits(newUnits(3))) },
  {
    name: 'adding a unit that a worker which sleeps may not have',
    mostRows: few,
    run: ({ connection }) => addedWhileIdle(connection, connection.spec, 'no such spec', connection.spec.name),
  },
  {
    name: 'adding a unit for a worker that sleeps',
    mostRows: few,
    run: async ({ connection }) => {
      const spec = await connection.namespace.setWorkSpec({ name: randomUUID(), priority: -3 });
      const statements = await addedWhileIdle(connection, spec);
      await connection.namespace.destroyWorkSpec(spec.name);
      return statements;
    },
  },
  {
    name: 'adding a delayed unit',
    mostRows: few,
    run: onSpec(({ spec }) => spec.addWorkUnit(randomUUID(), {}, { notBefore: new Date('2999-01-01') })),
  },
  {
    name: 'replacing units',
    mostRows: few,
    run: async ({ connection: { spec, explain } }) => {
      const units = newUnits(3);
      await spec.addWorkUnits(units);
      return explain(() => spec.addWorkUnits(units.map(({ name }) => ({ name, data: { changed: true } }))));
    },
  },
  {
    name: 'replacing a finished unit',
    mostRows: few,
    run: onAttempt(async (attempt, unit) => {
      await attempt.finish();
      await unit.workSpec.addWorkUnit(unit.key, { changed: true });
    }),
  },
  { name: 'asking for a unit', mostRows: few, run: onRequest({}) },
  { name: 'asking for a unit of named specs', mostRows: few, run: onRequest({ workSpecs: ['spec', 'no such spec'] }) },
  {
    name: 'asking for the only unit of a spec',
    mostRows: few,
    run: onRequest({ workSpecs: ['small'] }, (place) => unitOf(place, 'small')),
  },
  {
    name: 'asking for a unit when woken, of a spec that is paused',
    mostRows: few,
    run: async ({ connection: { namespace, spec, explain } }) => {
      const { bucket, id } = namespace as unknown as Pick<PostgresNamespace, 'bucket' | 'id'>;
      const worker = await namespace.worker(randomUUID());
      bucket.directClaims.claimed(id, spec.name, (spec as unknown as { readonly id: number }).id, { isDry: true });
      await spec.setMeta({ paused: true });
      bucket.directClaims.woken(id);
      const statements = await explain(() => worker.requestAttempts({ workSpecs: [spec.name], numberOfWorkUnits: 24 }));
      await spec.setMeta({ paused: false });
      return statements;
    },
  },
  {
    name: 'asking for a unit when woken',
    mostRows: few,
    run: async ({ connection: { namespace, explain } }) => {
      const { bucket, id } = namespace as unknown as Pick<PostgresNamespace, 'bucket' | 'id'>;
      const spec = await namespace.setWorkSpec({ name: randomUUID(), priority: -3 });
      const worker = await namespace.worker(randomUUID());
      const request = { workSpecs: [spec.name], numberOfWorkUnits: 24 };
      for (const unit of ['a', 'b']) {
        await spec.addWorkUnit(unit, {});
        await worker.requestAttempts(request);
        await worker.requestAttempts(request);
      }
      bucket.directClaims.woken(id);
      await spec.addWorkUnits(newUnits(3));
      const statements = await explain(() => worker.requestAttempts(request));
      await namespace.destroyWorkSpec(spec.name);
      return statements;
    },
  },
  {
    name: 'asking in vain where many run',
    mostRows: few,
    run: onAllRunning((worker, specs) => worker.requestAttempts({ workSpecs: specs })),
  },
  {
    name: 'asking for the only unit where many others run',
    mostRows: few,
    run: onAllRunning((worker, specs) => worker.requestAttempts({ workSpecs: [...specs, 'small'] }), (place) => unitOf(place, 'small')),
  },
  { name: 'asking for a unit of a spec with a limit', mostRows: few, run: onRequest({ workSpecs: ['limited'] }) },
  {
    name: 'asking where a unit has spent its retries',
    mostRows: few,
    run: onRequest({ workSpecs: ['spent'], numberOfWorkUnits: 2 }, spentUnit),
  },
  { name: 'asking for a hundred units', mostRows: 4_000, run: onRequest({ numberOfWorkUnits: 100, workSpecs: ['spec'] }) },
  { name: 'asking for a hundred of units that were added together', mostRows: 4_000, run: onRequest({ numberOfWorkUnits: 100, workSpecs: ['together'] }) },
  { name: 'asking for a part of them', mostRows: 4_000, run: onRequest({ numberOfWorkUnits: 70, workSpecs: ['together'] }) },
  // A range of 200 is broken up.
  {
    name: 'asking for a unit of many that were added together',
    mostRows: 2_000,
    run: onTogether((_, spec, worker) => worker.requestAttempts({ workSpecs: [spec.name] })),
  },
  {
    name: 'changing the priority of a unit that was added together with others',
    mostRows: 1_000,
    run: onTogether((unit) => unit.setPriority(7)),
  },
  {
    name: 'adding many units',
    mostRows: 3_000,
    run: async ({ connection: { namespace, explain } }) => {
      const spec = await namespace.workSpec('together');
      return explain(() => spec.addWorkUnits(newUnits(300)));
    },
  },
  {
    name: 'telling how long units have waited',
    // Two probes of each of three generations for each of a thousand work specs.
    mostRows: 8_000,
    run: ({ connection: { coordinate, explain } }) => explain(() => coordinate.oldestWaiting()),
  },
  {
    name: 'looking up the times of twenty attempts',
    mostRows: 1_000,
    run: onAttempts((namespace, reports) => {
      const { bucket } = namespace as unknown as Pick<PostgresNamespace, 'bucket'>;
      const ours = reports as unknown as readonly { attempt: Pick<PostgresAttempt, 'number' | 'workUnit'> }[];
      return attemptTimes(bucket, ours.map(({ attempt: { number, workUnit } }) => ({ number, unitId: workUnit.id })));
    }),
  },
  { name: 'asking for what is delayed no longer', mostRows: few, run: askForWhatIsDue },
  { name: 'asking for a unit whose lease has run out', mostRows: few, run: onRequest({}, overdueUnit) },
  {
    name: 'looking at a unit whose lease has run out',
    mostRows: few,
    run: async (place) => {
      const unit = await overdueUnit(place);
      return place.connection.explain(() => unit.status());
    },
  },
  {
    name: 'renewing twenty leases',
    mostRows: 1_000,
    run: onAttempts((namespace, reports) => namespace.renewAll(reports)),
  },
  {
    name: 'finishing twenty attempts',
    mostRows: 1_000,
    run: onAttempts((namespace, reports) => namespace.finishAll(reports)),
  },
  {
    name: 'finishing twenty attempts with data',
    mostRows: 1_000,
    run: onAttempts((namespace, reports) => namespace.finishAll(reports.map(({ attempt }) => ({ attempt, data: { result: 1 } })))),
  },
  { name: 'finishing an attempt', mostRows: few, run: onAttempt((attempt) => attempt.finish({ result: 1 })) },
  {
    name: 'failing an attempt, then finishing it',
    mostRows: few,
    run: onAttempt(async (attempt) => {
      await attempt.fail();
      await attempt.finish();
    }),
  },
  { name: 'retrying an attempt', mostRows: few, run: onAttempt((attempt) => attempt.retry({}, 86_400_000)) },
  { name: 'cancelling an attempt', mostRows: few, run: onAttempt((_, unit) => unit.cancel('no longer wanted')) },
  {
    name: 'waiting for a unit that has ended',
    mostRows: few,
    run: async (place) => {
      const attempt = await claimedOne(place);
      await attempt.finish();
      return place.connection.explain(() => waitFor(attempt.workUnit));
    },
  },
  { name: 'falling asleep', mostRows: few, run: onSpec(({ namespace }) => asleep(namespace)) },
  { name: 'giving an attempt up', mostRows: few, run: onAttempt((attempt) => attempt.expire()) },
  { name: 'reading an attempt', mostRows: few, run: onAttempt((attempt) => attempt.read()) },
  {
    name: 'finding attempts by the names of their units',
    mostRows: few,
    run: onAttempts((namespace, reports) =>
      findAttempts(
        namespace,
        reports.map(({ attempt: { workUnit, number } }) => ({ workSpec: workUnit.workSpec.name, workUnit: workUnit.key, number })),
      ),
    ),
  },
  { name: 'reading a unit', mostRows: few, run: onAttempt((_, unit) => unit.data()) },
  { name: 'finding a unit', mostRows: few, run: onAttempt((_, unit) => unit.workSpec.workUnit(unit.key)) },
  { name: 'reading a unit’s active attempt', mostRows: few, run: onAttempt((_, unit) => unit.activeAttempt()) },
  { name: 'listing a unit’s attempts', mostRows: few, run: onAttempt((_, unit) => unit.attempts()) },
  { name: 'counting a unit’s attempts', mostRows: few, run: onAttempt((_, unit) => unit.numAttempts()) },
  {
    name: 'forcing twenty attempts',
    mostRows: 3_000,
    run: onAttempts(async (namespace, reports) => {
      const made = await reports[0]!.attempt.worker.makeAttempts(reports.map(({ attempt }) => attempt.workUnit));
      await namespace.finishAll(made.map((attempt) => ({ attempt })));
    }),
  },
  { name: 'forcing an attempt', mostRows: few, run: onAttempt((attempt, unit) => attempt.worker.makeAttempt(unit)) },
  {
    name: 'clearing the active attempt, then renewing it',
    mostRows: few,
    run: onAttempt(async (attempt, unit) => {
      await unit.clearActiveAttempt();
      await attempt.renew().catch(() => undefined);
    }),
  },
  { name: 'changing a priority', mostRows: few, run: onAttempt((_, unit) => unit.setPriority(7)) },
  { name: 'deleting a unit', mostRows: few, run: onAttempt((_, unit) => unit.workSpec.deleteWorkUnits({ names: [unit.key] })) },
  // Reads every spec of the namespace, and up to a thousand units that come before.
  { name: 'explaining a unit', mostRows: 8_000, run: onAttempt((_, unit) => unit.explain()) },
  {
    name: 'explaining a unit that waits',
    mostRows: 8_000,
    run: async ({ connection: { spec, explain } }) => {
      const unit = await spec.addWorkUnit(randomUUID(), {});
      return explain(() => unit.explain());
    },
  },
  { name: 'listing a worker’s active attempts', mostRows: few, run: onAttempt(({ worker }) => worker.activeAttempts()) },
  {
    name: 'listing a page of a worker’s attempts',
    mostRows: few,
    run: async ({ connection: { namespace, explain } }) => {
      const filler = await namespace.worker('filler');
      return explain(() => filler.allAttempts({ limit: 10 }));
    },
  },
  {
    name: 'listing its children’s attempts',
    mostRows: few,
    run: onAttempt(async ({ worker }) => {
      const parent = await worker.namespace.worker(`parent of ${worker.name}`);
      await worker.setParent(parent);
      await parent.childAttempts();
    }),
  },
  // All operations before have left active workers of their own.
  { name: 'listing active workers', mostRows: few, run: onSpec(({ namespace }) => namespace.workers({ activeOnly: true, limit: 10 })) },
  { name: 'listing a page of workers', mostRows: few, run: onSpec(({ namespace }) => namespace.workers({ limit: 10 })) },
  { name: 'listing units', mostRows: few, run: onSpec(({ spec }) => spec.workUnits({ limit: 10 })) },
  {
    name: 'listing units from the middle on',
    mostRows: few,
    run: onSpec(({ spec }) => spec.workUnits({ limit: 10, previousName: 'ready 00005' })),
  },
  { name: 'listing units by name', mostRows: few, run: onSpec(({ spec }) => spec.workUnits({ names: ['ready 000007', 'none'] })) },
  // Four probes for each unit, for its data, its history and the length of both.
  { name: 'reading a page of units', mostRows: 1_000, run: onSpec(({ spec }) => spec.readWorkUnits({ limit: 10 }, ['data', 'ownData', 'attempts'])) },
  {
    name: 'reading a page of finished units',
    mostRows: 1_000,
    run: onSpec(({ spec }) => spec.readWorkUnits({ statuses: ['finished'], previousName: 'finished', limit: 10 }, ['data', 'attempts'])),
  },
  { name: 'reading units by name', mostRows: 1_000, run: onSpec(({ spec }) => spec.readWorkUnits({ names: ['ready 000007', 'none'] }, ['data', 'attempts'])) },
  {
    name: 'reading pending units',
    mostRows: 1_000,
    run: onAttempt((_, { workSpec }) => workSpec.readWorkUnits({ statuses: ['pending'], limit: 10 }, ['data', 'attempts'])),
  },
  {
    name: 'listing ten finished units',
    mostRows: few,
    run: onSpec(({ spec }) => spec.workUnits({ statuses: ['finished'], previousName: 'finished', limit: 10 })),
  },
  { name: 'listing pending units', mostRows: few, run: onAttempt((_, { workSpec }) => workSpec.workUnits({ statuses: ['pending'] })) },
];
