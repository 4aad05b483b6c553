/* Workers at work on a spec until it is destroyed under them. Run by destroy.test.ts. */
import pg from 'pg';
import { connect, CoordinateError, NotPendingError, type Namespace, type Worker } from '../../src/index.js';
import type { NamespacePlace } from './place.js';
import { serveTasks, tell } from './serve-tasks.js';

/** How a worker's work came to its end. */
export interface End {
  readonly code: string;
  /** Clients of its pool that were not given back. */
  readonly checkedOut: number;
}

const tasks = {
  async work({ workers, ...place }: NamespacePlace & { workers: number }): Promise<End[]> {
    return Promise.all(Array.from({ length: workers }, (_, index) => workUntilItEnds(place, index)));
  },
};

export type DestroyTasks = typeof tasks;

async function workUntilItEnds({ url, schema, namespace: name }: NamespacePlace, index: number): Promise<End> {
  // A pool of our own, to see whether it gets its clients back.
  const pool = new pg.Pool({ connectionString: url, max: 2, application_name: `pg-coordinate test ${schema}`, ...{ pipeline: true } });
  try {
    const coordinate = await connect(pool, { schema });
    const namespace = await coordinate.namespace(name);
    const code = await work(namespace, index).catch((error: unknown) => {
      if (error instanceof CoordinateError) return error.code;
      throw error;
    });
    // Waits for what the worker has begun in the background, which has a client until then.
    await coordinate.close();
    return { code, checkedOut: pool.totalCount - pool.idleCount + pool.waitingCount };
  } finally {
    await pool.end();
  }
}

/** Never resolves: somebody destroys the spec. */
async function work(namespace: Namespace, index: number): Promise<never> {
  const worker = await namespace.worker(`worker ${process.pid} ${index}`);
  for (let round = 0; ; round++) {
    if (index === 0) await produce(namespace, round);
    else await claimAndReport(namespace, worker, index);
    tell('round');
  }
}

async function produce(namespace: Namespace, round: number): Promise<void> {
  const spec = await namespace.workSpec('spec');
  await spec.addWorkUnits(Array.from({ length: 20 }, (_, unit) => ({ name: `unit ${round} ${unit}`, data: {} })));
  await spec.adjustWorkUnitPriorities({ limit: 10 }, 1);
}

async function claimAndReport(namespace: Namespace, worker: Worker, index: number): Promise<void> {
  const [first, ...others] = await worker.requestAttempts({ numberOfWorkUnits: 5, workSpecs: ['spec'] });
  // No work is no error; that there is no such spec is what the next line says.
  if (first === undefined) {
    await namespace.workSpec('spec');
    return;
  }
  if (index === 1) await worker.makeAttempt(first.workUnit);
  // makeAttempt has taken the first away from its own attempt, which may be finished all the same.
  await first.finish({ output: [`after ${first.workUnit.name}`] });
  for (const attempt of others) await attempt.renew();
  for (const { error } of await namespace.finishAll(others.map((attempt) => ({ attempt })))) {
    if (error !== null && !(error instanceof NotPendingError)) throw error;
  }
}

serveTasks(tasks);
