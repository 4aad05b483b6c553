/* A worker process whose handler has an effect in a fenced transaction for some units, and none for others. Run by ending.test.ts. */
import { setTimeout as wait } from 'node:timers/promises';
import { LostLeaseError, NotPendingError } from '../../src/errors/index.js';
import { createWorker, reported, retry } from '../../src/worker/index.js';
import { connectTo, type NamespacePlace } from '../concurrency/place.js';
import { serveTasks, tell } from '../concurrency/serve-tasks.js';

const tasks = {
  /** Resolves to the name of the worker once it has started. */
  async work({ lifetimeMs, ...place }: NamespacePlace & { readonly lifetimeMs: number }): Promise<string> {
    const coordinate = await connectTo(place, { pool: { max: 4 } });
    const worker = createWorker<{ effect: { n: number }; plain: { n: number } }>({
      coordinate,
      namespace: place.namespace,
      concurrency: 8,
      localQueue: 50,
      lifetimeMs,
      stopOn: ['SIGTERM'],
      handlers: {
        effect: async ({ attempt, name }) => {
          try {
            await coordinate.transaction(async (client) => {
              await attempt.requireHeld({ client });
              await client.query(`insert into ${place.schema}.effect (unit) values ($1)`, [name]);
              await attempt.finish(undefined, { client });
            });
          } catch (error) {
            if (!(error instanceof LostLeaseError || error instanceof NotPendingError)) throw error;
            // The process stood still for so long that the lease had ended. If it was renewed since, it is this worker's again: the unit has not failed.
            return retry();
          }
          return reported();
        },
        plain: async ({ data }) => {
          if (data.n % 10 === 0) await wait(5);
          tell('worked');
          return { square: data.n ** 2 };
        },
      },
    });
    await worker.start();
    void worker.ended.then(async () => {
      await coordinate.close();
      process.disconnect();
    });
    return worker.name!;
  },
};

export type WorkingTasks = typeof tasks;

serveTasks(tasks);
