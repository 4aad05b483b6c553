import { randomUUID } from 'node:crypto';
import type { Attempt, PostgresCoordinate, PostgresNamespace, Worker, WorkSpec, WorkUnit } from 'pg-coordinate';

/** One of each kind of object; the unit is held by the worker. */
export interface Objects {
  readonly coordinate: PostgresCoordinate;
  readonly namespace: PostgresNamespace;
  readonly spec: WorkSpec;
  readonly worker: Worker;
  readonly unit: WorkUnit;
  readonly attempt: Attempt;
}

export async function makeObjects(coordinate: PostgresCoordinate): Promise<Objects> {
  const namespace = await coordinate.namespace(randomUUID());
  const spec = await namespace.setWorkSpec({ name: 'spec', then: 'next' });
  await namespace.setWorkSpec({ name: 'next' });
  const unit = await spec.addWorkUnit('unit', { from: 'unit' });
  const worker = await namespace.worker('worker');
  const [attempt] = await worker.requestAttempts();
  if (attempt === undefined) throw new Error('nothing was claimed');
  return { coordinate, namespace, spec, worker, unit, attempt };
}

type Calls<T> = Readonly<Record<string, (object: T, objects: Objects) => unknown>>;

/** Calls of every function there is that does something with the database, by the kind of object; those that destroy come last. */
export const publicFunctions: {
  readonly coordinate: Calls<PostgresCoordinate>;
  readonly namespace: Calls<PostgresNamespace>;
  readonly spec: Calls<WorkSpec>;
  readonly worker: Calls<Worker>;
  readonly unit: Calls<WorkUnit>;
  readonly attempt: Calls<Attempt>;
} = {
  attempt: {
    read: (attempt) => attempt.read(),
    requireHeld: (attempt, { coordinate }) => coordinate.transaction((client) => attempt.requireHeld({ client })),
    renew: (attempt) => attempt.renew(1_000_000, { renewed: true }),
    fail: (attempt) => attempt.fail({ failed: true }),
    finish: (attempt) => attempt.finish({ output: ['chained'] }),
    retry: (_, { unit, worker }) => worker.makeAttempt(unit).then((attempt) => attempt.retry({}, 1)),
    expire: (_, { unit, worker }) => worker.makeAttempt(unit).then((attempt) => attempt.expire()),
  },
  unit: {
    data: (unit) => unit.data(),
    ownData: (unit) => unit.ownData(),
    status: (unit) => unit.status(),
    meta: (unit) => unit.meta(),
    setMeta: (unit) => unit.setMeta({ priority: 3 }),
    priority: (unit) => unit.priority(),
    setPriority: (unit) => unit.setPriority(4),
    activeAttempt: (unit) => unit.activeAttempt(),
    clearActiveAttempt: (unit) => unit.clearActiveAttempt(),
    attempts: (unit) => unit.attempts(),
    numAttempts: (unit) => unit.numAttempts(),
    explain: (unit) => unit.explain(),
    cancel: (unit) => unit.cancel('no longer wanted'),
  },
  worker: {
    read: (worker) => worker.read(),
    update: (worker) => worker.update({ data: { busy: true } }),
    deactivate: (worker) => worker.deactivate(),
    setParent: (worker) => worker.setParent(null),
    children: (worker) => worker.children(),
    makeAttempt: (worker, { unit }) => worker.makeAttempt(unit),
    makeAttempts: (worker, { unit }) => worker.makeAttempts([unit]),
    requestAttempts: (worker) => worker.requestAttempts({ numberOfWorkUnits: 3 }),
    activeAttempts: (worker) => worker.activeAttempts(),
    allAttempts: (worker) => worker.allAttempts(),
    childAttempts: (worker) => worker.childAttempts(),
  },
  spec: {
    data: (spec) => spec.data(),
    setData: (spec) => spec.setData({ name: 'spec', then: 'next', continuous: true, interval: 60 }),
    meta: (spec) => spec.meta({ counts: true }),
    setMeta: (spec) => spec.setMeta({ priority: 2 }),
    addWorkUnit: (spec) => spec.addWorkUnit('another', {}),
    readWorkUnits: (spec) => spec.readWorkUnits({ limit: 10 }, ['data', 'ownData', 'attempts']),
    addWorkUnits: (spec) => spec.addWorkUnits([{ name: 'unit', data: { again: true } }, { name: 'third', data: {} }]),
    workUnit: (spec) => spec.workUnit('unit'),
    workUnits: (spec) => spec.workUnits({ statuses: ['available', 'finished'] }),
    countWorkUnitStatus: (spec) => spec.countWorkUnitStatus(),
    summarize: (spec) => spec.summarize(),
    setWorkUnitPriorities: (spec) => spec.setWorkUnitPriorities({}, 1),
    adjustWorkUnitPriorities: (spec) => spec.adjustWorkUnitPriorities({}, 1),
    deleteWorkUnits: (spec) => spec.deleteWorkUnits({ names: ['third'] }),
  },
  namespace: {
    setWorkSpec: (namespace) => namespace.setWorkSpec({ name: 'further' }),
    workSpec: (namespace) => namespace.workSpec('spec'),
    workSpecNames: (namespace) => namespace.workSpecNames(),
    worker: (namespace) => namespace.worker('another'),
    workers: (namespace) => namespace.workers(),
    oldestWaiting: (namespace) => namespace.oldestWaiting(),
    events: (namespace) => {
      const events = namespace.events();
      return events.ready.finally(() => events.return());
    },
    finishAll: (namespace, { attempt }) => namespace.finishAll([{ attempt }]),
    failAll: (namespace, { attempt }) => namespace.failAll([{ attempt }]),
    renewAll: (namespace, { attempt }) => namespace.renewAll([{ attempt }]),
    summarize: (namespace) => namespace.summarize(),
    destroyWorkSpec: (namespace) => namespace.destroyWorkSpec('spec'),
    destroy: (namespace) => namespace.destroy(),
  },
  coordinate: {
    namespace: (coordinate) => coordinate.namespace('another'),
    namespaces: (coordinate) => coordinate.namespaces(),
    summarize: (coordinate) => coordinate.summarize(),
    now: (coordinate) => coordinate.now(),
    oldestWaiting: (coordinate) => coordinate.oldestWaiting(),
    checkReady: (coordinate) => coordinate.checkReady(),
    transaction: (coordinate) => coordinate.transaction((transaction) => transaction.query('select 1')),
  },
};

/** Every one of them, named like `unit.status`. */
export const everyFunction: readonly { readonly name: string; readonly call: (objects: Objects) => unknown }[] = Object.entries(
  publicFunctions as Readonly<Record<string, Calls<never>>>,
).flatMap(([kind, calls]) =>
  Object.entries(calls).map(([name, call]) => ({
    name: `${kind}.${name}`,
    call: (objects: Objects): unknown => call(objects[kind as keyof Objects] as never, objects),
  })),
);

/** The methods of an object that users can call. */
export function methodsOf(object: object): string[] {
  const prototype = Object.getPrototypeOf(object) as object;
  return Object.entries(Object.getOwnPropertyDescriptors(prototype))
    .filter(([name, { value }]) => name !== 'constructor' && typeof value === 'function')
    .map(([name]) => name);
}
