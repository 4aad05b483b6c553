import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProductName, WorkerMode } from './product.js';
import type { Readings } from './readings.js';

const program = fileURLToPath(new URL('worker-process.ts', import.meta.url));

/** Those that run now: one that is frozen would not notice the end of this process. */
const running = new Set<ChildProcess>();
process.on('exit', () => running.forEach((child) => child.kill('SIGKILL')));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

/** What a worker process tells of itself, every 20 ms and when no more jobs come; in mode `prompt` when a handler starts. */
export interface WorkerProgress {
  /** Handlers run so far. */
  readonly jobs: number;
  /** The most memory in use so far, in bytes; looked at every 200 ms, and in the end. */
  readonly rss: number;
  readonly committed?: number;
  readonly aborted?: number;
  /** When the handler started, by steadyMs(). */
  readonly startedAt?: number;
}

/** Worker processes of one product. */
export class WorkerProcesses {
  readonly #children: readonly ChildProcess[];
  readonly #progress = new Map<ChildProcess, WorkerProgress>();
  #failed = false;
  #isStopping = false;
  /** Is told when a handler has started, in mode `prompt`. */
  onStarted: (at: number) => void = () => undefined;
  #onProgress: () => void = () => undefined;

  private constructor(children: readonly ChildProcess[]) {
    this.#children = children;
    for (const child of children) {
      child.on('message', (message) => {
        const progress = message as WorkerProgress;
        this.#progress.set(child, progress);
        if (progress.startedAt !== undefined) this.onStarted(progress.startedAt);
        this.#onProgress();
      });
      running.add(child);
      child.on('exit', (code) => {
        running.delete(child);
        this.#failed ||= code !== 0 || !this.#isStopping;
        this.#onProgress();
      });
    }
  }

  /** Starts them; resolves when all are connected and fetch. */
  static async start(count: number, settings: { product: ProductName; url: string; mode: WorkerMode }): Promise<WorkerProcesses> {
    const children = Array.from({ length: count }, () =>
      fork(program, [JSON.stringify(settings)], { execArgv: ['--import', import.meta.resolve('tsx')] }),
    );
    const processes = new WorkerProcesses(children);
    await Promise.all(children.map((child) => Promise.race([once(child, 'message'), once(child, 'exit')])));
    processes.check();
    return processes;
  }

  /** From now on they do nothing, wherever they are. */
  freeze(): void {
    for (const child of this.#children) child.kill('SIGSTOP');
  }

  /** They go on, as if no time had passed. */
  thaw(): void {
    for (const child of this.#children) child.kill('SIGCONT');
  }

  get pids(): number[] {
    return this.#children.map(({ pid }) => pid as number);
  }

  /** Handlers run so far, as of the last 20 ms; of a worker at rest, as of the last 2 to 4. */
  get jobs(): number {
    return this.#sum('jobs');
  }

  /** The most memory that one of them has used, in bytes. */
  get rss(): number {
    return Math.max(...[...this.#progress.values()].map(({ rss }) => rss));
  }

  /** Aborted transactions as a share of all; undefined if the product does not say. */
  get abortShare(): number | undefined {
    const [aborted, committed] = [this.#sum('aborted'), this.#sum('committed')];
    return committed === 0 ? undefined : aborted / (aborted + committed);
  }

  /** Their part of the readings; complete once they have been stopped. */
  get readings(): Pick<Readings, 'workerRss' | 'abortShare'> {
    const { rss: workerRss, abortShare } = this;
    return { workerRss, ...(abortShare !== undefined && { abortShare }) };
  }

  /** Resolves when so many handlers have run, as far as is known. It asks nobody, so that waiting takes no time from the workers. One call at a time. Rejects if one of them dies. */
  async untilJobs(least: number): Promise<void> {
    for (;;) {
      this.check();
      if (this.jobs >= least) return;
      await new Promise<void>((resolve) => (this.#onProgress = resolve));
    }
  }

  /** Raises if one of them has died. */
  check(): void {
    if (this.#failed) throw new Error('A worker process has ended by itself; see its error above');
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    this.thaw();
    await Promise.all(
      this.#children.map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, 'exit');
        child.send('stop');
        const killing = setTimeout(() => child.kill('SIGKILL'), 20_000);
        await ended;
        clearTimeout(killing);
      }),
    );
  }

  #sum(field: 'jobs' | 'committed' | 'aborted'): number {
    return [...this.#progress.values()].reduce((sum, progress) => sum + (progress[field] ?? 0), 0);
  }
}
