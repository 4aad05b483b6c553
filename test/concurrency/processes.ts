import { fork, type ChildProcess } from 'node:child_process';
import { afterAll } from 'vitest';
import { compiledProgram } from '../support/programs.js';
import type { Reply, Request, Tasks } from './serve-tasks.js';

/** A process of its own that runs the tasks of a program. */
export interface TestProcess<T extends Tasks> {
  readonly pid: number;
  /** Runs a task there. Rejects if it fails, or if the process ends first. */
  run<Name extends keyof T & string>(task: Name, argument: Parameters<T[Name]>[0]): Promise<Awaited<ReturnType<T[Name]>>>;
  /** What the process has told by tell(), in its order; grows. */
  readonly told: readonly unknown[];
  /** Resolves once the process has told something that the test asks for. */
  untilTold(what: (told: readonly unknown[]) => boolean): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** Resolves when it has ended, and all it told has been read. */
  readonly ended: Promise<void>;
  /** Null while it runs, and if a signal has ended it. */
  readonly exitCode: number | null;
  /** Kills it, and waits until it has ended: whatever it told before has been read by then. */
  kill(): Promise<void>;
}

export interface TestProcesses<T extends Tasks> {
  /** Starts a process; resolves when it is ready for tasks. */
  start(): Promise<TestProcess<T>>;
  startMany(count: number): Promise<TestProcess<T>[]>;
}

/** Processes of a test file that run a program which calls serveTasks(); all ended after the file's tests, whatever became of them. */
export function testProcesses<T extends Tasks>(program: URL): TestProcesses<T> {
  const running = new Set<TestProcess<T>>();
  afterAll(async () => {
    await Promise.all([...running].map((child) => child.kill()));
  });
  const start = async (): Promise<TestProcess<T>> => {
    const child = fork(compiledProgram(program), [], {
      execArgv: [],
      serialization: 'advanced',
    });
    const started = new RunningProcess<T>(child);
    running.add(started);
    await started.untilTold((told) => told.includes('ready'));
    return started;
  };
  return { start, startMany: (count) => Promise.all(Array.from({ length: count }, start)) };
}

class RunningProcess<T extends Tasks> implements TestProcess<T> {
  readonly told: unknown[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: Error) => void }>();
  readonly #listeners = new Set<() => void>();
  readonly ended: Promise<void>;
  #end: string | undefined;
  #requests = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message) => this.#take(message as Reply));
    this.ended = new Promise((resolve) => {
      // 'close' comes when the channel has been read to its end, unlike 'exit'.
      child.once('close', (code, signal) => {
        this.#end = `the process ended (${signal ?? code ?? 'unknown'})`;
        for (const { reject } of this.#waiting.values()) reject(new Error(this.#end));
        for (const listener of this.#listeners) listener();
        resolve();
      });
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get exitCode(): number | null {
    return this.#child.exitCode;
  }

  run<Name extends keyof T & string>(task: Name, argument: Parameters<T[Name]>[0]): Promise<Awaited<ReturnType<T[Name]>>> {
    if (this.#end !== undefined) return Promise.reject(new Error(this.#end));
    const id = this.#requests++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#child.send({ id, task, argument } satisfies Request);
    });
  }

  async untilTold(what: (told: readonly unknown[]) => boolean): Promise<void> {
    while (!what(this.told)) {
      if (this.#end !== undefined) throw new Error(this.#end);
      await new Promise<void>((resolve) => {
        const listener = (): void => {
          this.#listeners.delete(listener);
          resolve();
        };
        this.#listeners.add(listener);
      });
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  #take(reply: Reply): void {
    if ('told' in reply) {
      this.told.push(reply.told);
      for (const listener of this.#listeners) listener();
      return;
    }
    const waiting = this.#waiting.get(reply.id);
    this.#waiting.delete(reply.id);
    if ('error' in reply) waiting?.reject(new Error(`in a process of the test: ${reply.error}`));
    else waiting?.resolve(reply.value as never);
  }
}
