import { IsolatedRunner } from './isolated/index.js';
import type { RegisteredHandler } from './registered-handler.js';
import type { RunningAttempt } from './running-work.js';
import type { WorkerLogger } from './worker-logger.js';

/** The threads and processes of all isolated handlers of a worker. */
export class IsolatedRunners {
  readonly #runners = new Map<RegisteredHandler, IsolatedRunner>();

  constructor(handlers: Iterable<RegisteredHandler>, options: { readonly concurrency: number; readonly logger: WorkerLogger }) {
    for (const handler of handlers) {
      if (handler.work.kind === 'isolated') this.#runners.set(handler, new IsolatedRunner(handler.work.handler, options));
    }
  }

  /** Rejects with what the handler throws, RunTimeExceeded, HandlerCrashed, or the reason of the attempt's signal. */
  run(handler: RegisteredHandler, running: RunningAttempt, graceMs: number): Promise<unknown> {
    const { workSpec, name, key, number, data, signal, progress, log } = running;
    const job = { workSpec, name, key, number, data };
    const onLog = (level: 'debug' | 'info' | 'warn' | 'error', message: string, details?: object): void => log[level](message, details);
    const runner = this.#runners.get(handler);
    if (runner === undefined) throw new Error(`${handler.name} is no isolated handler`);
    return runner.run(job, { signal, runMs: handler.maxRunMs, graceMs, onProgress: progress, onLog });
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#runners.values()].map((runner) => runner.stop()));
  }
}
