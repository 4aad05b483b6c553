import { hostname, release } from 'node:os';
import type { DataDictionary } from '../codec/index.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { Worker } from '../core/worker/worker.js';
import type { WorkerLogger } from './worker-logger.js';

export interface HeartbeatOptions {
  readonly worker: Worker;
  readonly parent: Worker;
  readonly everyMs: number;
  readonly logger: WorkerLogger;
  /** What the worker is doing. */
  readonly load: () => DataDictionary & { readonly mode: string };
}

/** Keeps the rows of a worker and of its process up to date, for operators to see who is there. */
export class Heartbeat {
  readonly #options: HeartbeatOptions;
  readonly #startedAt = performance.timeOrigin;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  /** The first one is awaited: whoever cannot write its row cannot work. */
  async start(): Promise<void> {
    const { worker, parent, everyMs } = this.#options;
    await worker.setParent(parent);
    await this.#update();
    this.#timer = setInterval(() => this.beat(), everyMs);
    this.#timer.unref();
  }

  /** One now, out of turn; a failure is logged. */
  beat(): void {
    this.#beating ??= this.#update()
      .catch((error: unknown) => {
        this.#options.logger.warn(`the worker's row could not be updated: ${error instanceof Error ? error.message : String(error)}`);
      })
      .finally(() => (this.#beating = undefined));
  }

  /** Deactivates the worker's row, and that of its process if no other worker of it is left. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#beating;
    const { worker, parent } = this.#options;
    await worker.deactivate();
    const states = await Promise.all((await parent.children()).map((child) => child.read()));
    if (!states.some(({ active }) => active)) await parent.deactivate();
  }

  async #update(): Promise<void> {
    const { worker, parent, load } = this.#options;
    const { mode, ...rest } = load();
    await parent.update({ data: this.#environment(), mode });
    await worker.update({ data: { ...rest }, mode });
  }

  #environment(): DataDictionary {
    return {
      host: hostname(),
      pid: process.pid,
      node: process.version,
      platform: `${process.platform} ${release()} ${process.arch}`,
      memoryBytes: process.memoryUsage.rss(),
      started: new Date(this.#startedAt),
      program: process.argv[1] ?? '',
    };
  }
}

/** The rows of a worker and of its process, found or made. */
export async function workerRows(
  namespace: Namespace,
  names: { readonly name: string | undefined; readonly parent: string | undefined },
  random: () => number,
): Promise<{ worker: Worker; parent: Worker }> {
  const parent = names.parent ?? `${hostname()}:${process.pid}`;
  const name = names.name ?? `${hostname()}:${process.pid}:${random().toString(36).slice(2, 8)}`;
  return { parent: await namespace.worker(parent), worker: await namespace.worker(name) };
}
