import { Worker } from 'node:worker_threads';
import type { HostChannel, HostEnding } from './host-channel.js';
import { hostEnvironment } from './host-environment.js';
import { transferable, type ToHost } from './host-messages.js';
import { hostProgram } from './host-program.js';
import type { CheckedIsolatedHandler } from './isolated-handler.js';

/** A host that is a thread. */
export class ThreadChannel implements HostChannel {
  onMessage: (message: unknown) => void = () => undefined;
  readonly ended: Promise<HostEnding>;
  readonly #thread: Worker;

  constructor({ execArgv, env, resourceLimits }: CheckedIsolatedHandler) {
    const thread = new Worker(hostProgram, {
      // Left out, the thread inherits what of this process's flags a thread can have.
      ...(execArgv !== undefined && { execArgv: [...execArgv] }),
      ...(resourceLimits !== undefined && { resourceLimits }),
      env: env === undefined ? hostEnvironment(process.env) : { ...env },
      name: 'pg-coordinate handler',
    });
    this.#thread = thread;
    thread.on('message', (message: unknown) => this.onMessage(message));
    this.ended = new Promise((resolve) => {
      let cause: Error | undefined;
      thread.on('error', (error) => (cause = error));
      thread.once('exit', (code) => resolve(cause === undefined ? { problem: `exit code ${code}` } : { problem: cause.message, cause }));
    });
  }

  send(message: ToHost): void {
    this.#thread.postMessage(...transferable(message));
  }

  terminate(): void {
    this.kill();
  }

  kill(): void {
    void this.#thread.terminate();
  }

  ref(): void {
    this.#thread.ref();
  }

  unref(): void {
    this.#thread.unref();
  }
}
