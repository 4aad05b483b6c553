/* Workers that treat their attempts in every way there is. Run by max-running.test.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import { NotPendingError, type Attempt, type Namespace } from '../../src/index.js';
import { connectTo, type NamespacePlace } from './place.js';
import { serveTasks } from './serve-tasks.js';

const tasks = {
  /** Each connection claims so many times; resolves to the most units that one answer held, and how many there were in all. */
  async work({ connections, claims, ...place }: NamespacePlace & { connections: number; claims: number }) {
    const taken = await Promise.all(
      Array.from({ length: connections }, async () => {
        await using coordinate = await connectTo(place, { pool: { max: 1 } });
        return await workOn(await coordinate.namespace(place.namespace), claims);
      }),
    );
    return taken.flat();
  },
};

export type MaxRunningTasks = typeof tasks;

async function workOn(namespace: Namespace, claims: number): Promise<number[]> {
  const worker = await namespace.worker(`worker ${process.pid}`);
  const taken: number[] = [];
  while (taken.length < claims) {
    // Some leases are so short that they expire under their holder, as do all those that are abandoned.
    const lifetimeMs = Math.random() < 0.2 ? 20 : 60_000;
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 1 + Math.floor(Math.random() * 5), lifetimeMs });
    if (attempts.length === 0) continue;
    taken.push(attempts.length);
    for (const attempt of attempts) await treat(attempt, lifetimeMs < 100);
  }
  return taken;
}

async function treat(attempt: Attempt, mayBeAbandoned: boolean): Promise<void> {
  const choice = Math.random();
  if (mayBeAbandoned && choice < 0.5) return;
  if (choice < 0.6) await wait(Math.random() * 3);
  const report =
    choice < 0.25
      ? attempt.retry({}, Math.random() * 5)
      : choice < 0.4
        ? attempt.fail()
        : choice < 0.5
          ? attempt.expire()
          : attempt.finish();
  await report.catch((error: unknown) => {
    if (!(error instanceof NotPendingError && mayBeAbandoned)) throw error;
  });
}

serveTasks(tasks);
