import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { WorkerMessage, WorkerSettings } from './messages.js';

export interface WorkerPoolOptions extends Omit<WorkerSettings, 'name'> {
  readonly url: string;
  readonly workers: number;
  /** To kill one of the workers with SIGKILL, while it holds work, once so many units are done; null: none. */
  readonly killAfter: number | null;
  /** Told of each worker that ends before it is stopped. */
  readonly onLost: (lost: LostWorker) => void;
}

export interface LostWorker {
  readonly name: string;
  /** Such as `was killed by SIGKILL`. */
  readonly how: string;
  /** How many units it had. */
  readonly held: number;
}

interface WorkerProcess {
  readonly name: string;
  readonly child: ChildProcess;
  /** Settled when the process has ended. */
  readonly ended: Promise<unknown>;
  /** What it wrote on its standard error. */
  lastWords: string;
  /** How many units it works on. */
  held: number;
}

const program = fileURLToPath(new URL('worker.ts', import.meta.url));
const patienceMs = 3_000;

/** The worker processes. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #workers: readonly WorkerProcess[];
  readonly #lost: LostWorker[] = [];
  #unitsDone = 0;
  #hasKilled = false;
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
    const { url, schema, namespace } = this.#options;
    const settings: WorkerSettings = { schema, namespace, name };
    const child = fork(program, [JSON.stringify(settings)], {
      // TypeScript is run as it is.
      execArgv: ['--import', import.meta.resolve('tsx')],
      // The database's password is in the URL, and the arguments of a process can be read by everybody.
      env: { ...process.env, DATABASE_URL: url },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const worker: WorkerProcess = { name, child, ended: once(child, 'exit'), lastWords: '', held: 0 };
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (worker.lastWords += text));
    child.on('message', (message) => this.#heard(worker, message as WorkerMessage));
    child.on('exit', () => this.#ended(worker));
    return worker;
  }

  #heard(worker: WorkerProcess, { event, units }: WorkerMessage): void {
    worker.held = event === 'claimed' ? units : 0;
    if (event === 'done') this.#unitsDone += units;
    const { killAfter } = this.#options;
    if (event !== 'claimed' || this.#hasKilled || killAfter === null || this.#unitsDone < killAfter) return;
    this.#hasKilled = true;
    worker.child.kill('SIGKILL');
  }

  #ended({ name, child, held }: WorkerProcess): void {
    if (this.#stopping) return;
    const how = child.signalCode === null ? `ended with exit code ${child.exitCode}` : `was killed by ${child.signalCode}`;
    const lost = { name, how, held };
    this.#lost.push(lost);
    this.#options.onLost(lost);
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
