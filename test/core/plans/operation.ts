import { randomUUID } from 'node:crypto';
import type { Attempt, AttemptReport, AttemptRequest, DataDictionary, Namespace, NewWorkUnit, Worker, WorkSpec, WorkUnit } from 'pg-coordinate';
import type { TestDatabase } from '../../support/database.js';
import type { ExplainedConnection, ExplainedStatement } from './explained.js';

/** What an operation works on. */
export interface Place {
  readonly database: TestDatabase;
  readonly connection: ExplainedConnection;
}

/** Something users do, prepared and then explained; and how many rows it may handle, whatever there is in the tables. */
export interface Operation {
  readonly name: string;
  readonly mostRows: number;
  run(place: Place): Promise<ExplainedStatement[]>;
}

/** Names that come before, and priorities that go before, all that the tables are filled with. */
export function newUnits(count: number, data: DataDictionary = {}): NewWorkUnit[] {
  const batch = randomUUID().slice(0, 8);
  return Array.from({ length: count }, (_, index) => ({ name: `!${batch} ${index}`, data, meta: { priority: 1 } }));
}

export async function claimed({ connection: { namespace, spec } }: Place, count: number): Promise<Attempt[]> {
  await spec.addWorkUnits(newUnits(count));
  const worker = await namespace.worker(randomUUID());
  return worker.requestAttempts({ numberOfWorkUnits: count, workSpecs: [spec.name] });
}

export async function claimedOne(place: Place): Promise<Attempt> {
  const [attempt] = await claimed(place, 1);
  if (attempt === undefined) throw new Error('nothing was claimed');
  return attempt;
}

/** Explains what is done to a unit that is being worked on. */
export function onAttempt(action: (attempt: Attempt, unit: WorkUnit) => Promise<unknown>): Operation['run'] {
  return async (place) => {
    const attempt = await claimedOne(place);
    const statements = await place.connection.explain(() => action(attempt, attempt.workUnit));
    await finishAll(place, [attempt]);
    return statements;
  };
}

/** Explains what is done to many units that are being worked on. */
export function onAttempts(action: (namespace: Namespace, reports: AttemptReport[]) => Promise<unknown>): Operation['run'] {
  return async (place) => {
    const attempts = await claimed(place, 20);
    const reports = attempts.map((attempt) => ({ attempt }));
    const statements = await place.connection.explain(() => action(place.connection.namespace, reports));
    await finishAll(place, attempts);
    return statements;
  };
}

/** Explains what is done to the spec. */
export function onSpec(action: (connection: ExplainedConnection) => Promise<unknown>): Operation['run'] {
  return ({ connection }) => connection.explain(() => action(connection));
}

/** Explains a request for work, which must not come back without any. */
export function onRequest(request: AttemptRequest, prepare: (place: Place) => Promise<unknown> = async () => undefined): Operation['run'] {
  return async (place) => {
    const { connection } = place;
    await prepare(place);
    const worker = await connection.namespace.worker(randomUUID());
    let attempts: Attempt[] = [];
    // Once before, so that it is not the one that records what has been asked for.
    await finishAll(place, await worker.requestAttempts(request));
    await prepare(place);
    const statements = await connection.explain(async () => {
      attempts = await worker.requestAttempts(request);
    });
    if (attempts.length === 0) throw new Error('nothing was claimed');
    await finishAll(place, attempts);
    return statements;
  };
}

/** On one of 200 units that were added together, of a work spec of their own. */
export function onTogether(work: (unit: WorkUnit, spec: WorkSpec, worker: Worker) => Promise<unknown>): Operation['run'] {
  return async ({ connection: { namespace, explain } }) => {
    const spec = await namespace.setWorkSpec({ name: randomUUID(), priority: -3 });
    await spec.addWorkUnits(newUnits(200));
    const [unit] = await spec.workUnits({ limit: 1 });
    const worker = await namespace.worker(randomUUID());
    const statements = await explain(() => work(unit!, spec, worker));
    await namespace.destroyWorkSpec(spec.name);
    return statements;
  };
}

/** Where all units of two work specs are running. */
export function onAllRunning(
  work: (worker: Worker, specs: readonly string[]) => Promise<unknown>,
  prepare: (place: Place) => Promise<unknown> = async () => undefined,
): Operation['run'] {
  return async (place) => {
    const { namespace, explain } = place.connection;
    const specs = [randomUUID(), randomUUID()];
    const worker = await namespace.worker(randomUUID());
    for (const name of specs) {
      await (await namespace.setWorkSpec({ name, priority: -3 })).addWorkUnits(newUnits(1_000));
      await worker.requestAttempts({ workSpecs: [name], numberOfWorkUnits: 1_000 });
    }
    await prepare(place);
    const statements = await explain(() => work(worker, specs));
    for (const name of specs) await namespace.destroyWorkSpec(name);
    return statements;
  };
}

/** Leaves no lease behind, or those that run later would have more to look through. */
export async function finishAll({ connection }: Place, attempts: readonly Attempt[]): Promise<void> {
  await connection.namespace.finishAll(attempts.map((attempt) => ({ attempt })));
}

/** Most rows of what is about a few units. (Some hundred are those of lease ranges that other operations have left, whose units are counted one by one.) */
export const few = 500;
