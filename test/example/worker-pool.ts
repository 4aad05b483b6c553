import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Namespace } from 'pg-coordinate';
import type { WorkerSettings } from './worker.js';

export interface WorkerPoolOptions extends Omit<WorkerSettings, 'name' | 'namespace'> {
  readonly url: string;
  readonly namespace: Pick<Namespace, 'name'>;
  readonly workers: number;
  /** To kill one of the workers with SIGKILL, in the middle of its work, once so many files have been begun; null: none. */
  readonly killAfter: number | null;
  /** Told of each worker that ends before it is stopped. */
  readonly onLost: (lost: LostWorker) => void;
}

export interface LostWorker {
  readonly name: string;
  /** Such as `was killed by SIGKILL`. */
  readonly how: string;
}

interface WorkerProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Settled when the process has ended. */
  readonly ended: Promise<unknown>;
  /** What it wrote on its standard error. */
  lastWords: string;
}

/** In TypeScript or compiled: as this module is. */
const extension = extname(import.meta.url);
const program = fileURLToPath(new URL(`worker${extension}`, import.meta.url));
const patienceMs = 10_000;

/** The worker processes. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers: readonly WorkerProcess[];
  readonly #lost: LostWorker[] = [];
  #begun = 0;
  #stopping = false;

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#workers = Array.from({ length: options.workers }, (_, index) => this.#start(`worker ${index + 1}`));
  }

  get lost(): readonly LostWorker[] {
    return this.#lost;
  }

  /** Raises if none of the workers is left. */
  checkAlive(): void {
    if (this.#workers.some(({ child }) => isRunning(child))) return;
    const lastWords = this.#workers.map((worker) => worker.lastWords.trim()).find((words) => words !== '');
    throw new Error(`all workers have ended${lastWords === undefined ? '' : `; one of them said: ${firstError(lastWords)}`}`);
  }

  /** Lets the workers end what they are doing. Those that take too long are killed, and their units given to others. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child } of this.#workers) if (child.connected) child.disconnect();
    const impatience = setTimeout(() => {
      for (const { child } of this.#workers) child.kill('SIGKILL');
    }, patienceMs);
    await Promise.all(this.#workers.map(({ ended }) => ended));
    clearTimeout(impatience);
  }

  #start(name: string): WorkerProcess {
    const { url, schema, namespace, job, leaseMs } = this.#options;
    const settings: WorkerSettings = { schema, namespace: namespace.name, name, job, leaseMs };
    const child = fork(program, [JSON.stringify(settings)], {
      execArgv: extension === '.ts' ? ['--import', import.meta.resolve('tsx')] : [],
      // The database's password is in the URL, and the arguments of a process can be read by everybody.
      env: { ...process.env, DATABASE_URL: url },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const worker: WorkerProcess = { name, child, ended: once(child, 'exit'), lastWords: '' };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (worker.lastWords += text));
    child.on('message', () => this.#begins(child));
    child.on('exit', () => this.#ended(worker));
    return worker;
  }

  /** A worker begins another file. */
  #begins(child: ChildProcess): void {
    this.#begun++;
    if (this.#begun === this.#options.killAfter) child.kill('SIGKILL');
  }

  #ended({ name, child }: WorkerProcess): void {
    if (this.#stopping) return;
    const how = child.signalCode === null ? `ended with exit code ${child.exitCode}` : `was killed by ${child.signalCode}`;
    this.#lost.push({ name, how });
    this.#options.onLost({ name, how });
  }
}

/** Until all it wrote has been read, as well. */
function isRunning({ exitCode, signalCode, stderr }: ChildProcess): boolean {
  return (exitCode === null && signalCode === null) || stderr?.readableEnded === false;
}

/** The line of an uncaught error that says what it is. */
function firstError(text: string): string {
  return text.split('\n').find((line) => /^\w*Error\b/.test(line)) ?? text.split('\n', 1)[0]!;
}
