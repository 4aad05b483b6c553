/* Workers that claim and finish, with always so many units in hand. Run by weights.test.ts and abort-rate.test.ts. */
import type { Attempt, Namespace } from '../../src/index.js';
import { connectTo, type NamespacePlace } from './place.js';
import { pseudoRandom } from './pseudo-random.js';
import { serveTasks } from './serve-tasks.js';

const tasks = {
  /**
   * On each connection: claims one unit at a time and, with `hold` units in hand, finishes the one it has held longest before it
   * claims the next. Resolves to the names of the specs they were served from, but for the first `warmUp` claims of each
   * connection, and to the transactions that had to be tried again.
   */
  async work({ connections, claims, hold, warmUp, seed, ...place }: NamespacePlace & Load): Promise<Served> {
    const all = await Promise.all(
      Array.from({ length: connections }, async (_, connection) => {
        const random = pseudoRandom(seed * connections + connection);
        await using coordinate = await connectTo(place, { pool: { max: 1 }, random });
        const specs = await workOn(await coordinate.namespace(place.namespace), claims + warmUp, hold);
        const { serializationFailures, deadlocks } = coordinate.statistics;
        return { specs: specs.slice(warmUp), serializationFailures, deadlocks };
      }),
    );
    return {
      specs: all.flatMap(({ specs }) => specs),
      serializationFailures: all.reduce((total, each) => total + each.serializationFailures, 0),
      deadlocks: all.reduce((total, each) => total + each.deadlocks, 0),
    };
  },
};

export type ClaimingTasks = typeof tasks;

export interface Load {
  readonly connections: number;
  /** How many claims each connection makes. */
  readonly claims: number;
  /** How many units each has in hand. */
  readonly hold: number;
  /** How many claims each makes before they count. */
  readonly warmUp: number;
  /** Of what is left to chance, which is another in each process, and the same each time. */
  readonly seed: number;
}

export interface Served {
  readonly specs: readonly string[];
  readonly serializationFailures: number;
  readonly deadlocks: number;
}

async function workOn(namespace: Namespace, claims: number, hold: number): Promise<string[]> {
  const worker = await namespace.worker(`worker ${process.pid}`);
  const held: Attempt[] = [];
  const served: string[] = [];
  while (served.length < claims) {
    if (held.length === hold) await held.shift()?.finish();
    const [attempt] = await worker.requestAttempts();
    if (attempt === undefined) throw new Error('there were to be units enough');
    held.push(attempt);
    served.push(attempt.workUnit.workSpec.name);
  }
  await namespace.finishAll(held.map((attempt) => ({ attempt })));
  return served;
}

serveTasks(tasks);
