/* A worker that does nothing but claim, and finish with output. Run by finish-with-output.test.ts. */
import { ConnectionLostError, NotPendingError, type Namespace } from '../../src/index.js';
import { connectTo, type NamespacePlace } from './place.js';
import { serveTasks, tell } from './serve-tasks.js';

const tasks = {
  /** Tells the name of each unit whose finish was acknowledged; ends when there is no more work. */
  async work({ connections, ...place }: NamespacePlace & { connections: number }): Promise<void> {
    await using coordinate = await connectTo(place, { pool: { max: connections } });
    const namespace = await coordinate.namespace(place.namespace);
    await Promise.all(Array.from({ length: connections }, () => workOn(namespace)));
  },
};

export type FinishWithOutputTasks = typeof tasks;

async function workOn(namespace: Namespace): Promise<void> {
  const worker = await namespace.worker(`worker ${process.pid}`);
  for (;;) {
    try {
      const [attempt] = await worker.requestAttempts({ workSpecs: ['first'] });
      if (attempt === undefined) return;
      const { name } = attempt.workUnit;
      await attempt.finish({ output: { [`${name} a`]: {}, [`${name} b`]: {} } });
      tell(name);
    } catch (error) {
      // The test ends connections at random moments: what was under way then is done or not done.
      if (!(error instanceof ConnectionLostError || error instanceof NotPendingError)) throw error;
    }
  }
}

serveTasks(tasks);
