/* A worker whose handler blocks the event loop. Run by blocked-thread.test.ts. */
import { keepLeases } from '../../../src/worker/lease/index.js';
import { connectTo, type NamespacePlace } from '../../concurrency/place.js';
import { serveTasks, tell } from '../../concurrency/serve-tasks.js';
import { beforeNextLook } from '../../database/until.js';

export interface Blocking extends NamespacePlace {
  readonly lifetimeMs: number;
  /** The maximum run time. */
  readonly runMs: number;
  readonly blockedMs: number;
}

const tasks = {
  /** Claims a unit, blocks the event loop at once, and reports; resolves to the code of the error, or null. */
  async block({ lifetimeMs, runMs, blockedMs, ...place }: Blocking): Promise<string | null> {
    await using coordinate = await connectTo(place);
    const namespace = await coordinate.namespace(place.namespace);
    const lost: string[] = [];
    const keeper = await keepLeases({
      namespace,
      lifetimeMs,
      onLost: (_attempt, { code }) => void lost.push(code),
      logger: console,
    });
    const [attempt] = await (await namespace.worker('blocked')).requestAttempts({ lifetimeMs });
    keeper.hold(attempt!, runMs);
    tell('blocked');
    // The channel is written to before this thread stands still.
    await new Promise((resolve) => setImmediate(resolve));
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, blockedMs);
    tell('free');
    const code = await attempt!.finish().then(
      () => null,
      (error: unknown) => (error as { code: string }).code,
    );
    await keeper.stop();
    return lost[0] ?? code;
  },

  /** Holds a unit for ever, and has nothing else to do: the process is to end by itself. */
  async holdAndEnd(place: NamespacePlace): Promise<void> {
    const coordinate = await connectTo(place);
    const namespace = await coordinate.namespace(place.namespace);
    const keeper = await keepLeases({ namespace, lifetimeMs: 300, onLost: () => undefined, logger: console });
    const [attempt] = await (await namespace.worker('blocked')).requestAttempts({ lifetimeMs: 60_000 });
    const before = (await attempt!.read()).expirationTime.getTime();
    keeper.hold(attempt!, Number.POSITIVE_INFINITY);
    // Until the thread has a connection.
    while ((await attempt!.read()).expirationTime.getTime() === before) await beforeNextLook();
    await coordinate.close();
    process.disconnect();
  },
};

export type BlockedThreadTasks = typeof tasks;
serveTasks(tasks);
