import { fork, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { HostChannel, HostEnding } from './host-channel.js';
import { hostEnvironment } from './host-environment.js';
import type { ToHost } from './host-messages.js';
import { hostProgram } from './host-program.js';
import type { CheckedIsolatedHandler } from './isolated-handler.js';

/** Where there are none, only the host itself is killed and not what it has started. */
const hasProcessGroups = process.platform !== 'win32';

/** A host that is a process. It has a process group of its own, so that what it starts is killed with it. */
export class ProcessChannel implements HostChannel {
  onMessage: (message: unknown) => void = () => undefined;
  readonly ended: Promise<HostEnding>;
  readonly #child: ChildProcess;
  /** The host's other end sees it closed when this process ends in whatever way, see parent-watch.js. */
  readonly #lifeline: Socket | null;

  constructor({ execArgv, env, resourceLimits }: CheckedIsolatedHandler) {
    const heapMb = resourceLimits?.maxOldGenerationSizeMb;
    const flags = [...(execArgv ?? process.execArgv), ...(heapMb === undefined ? [] : [`--max-old-space-size=${heapMb}`])];
    const child = fork(fileURLToPath(hostProgram), [], {
      execArgv: flags,
      env: env === undefined ? hostEnvironment(process.env) : { ...env },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc', 'pipe'],
      // A group of its own; also, Ctrl-C in a terminal goes to a whole group, and would end handlers before their time of grace.
      detached: hasProcessGroups,
    });
    this.#child = child;
    // Null if the process could not be started.
    this.#lifeline = (child.stdio[4] ?? null) as Socket | null;
    this.#lifeline?.on('error', () => undefined);
    child.on('message', (message: unknown) => this.onMessage(message));
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => {
        if (child.pid === undefined) resolve({ problem: `it could not be started: ${error.message}`, cause: error });
      });
      child.once('exit', (code, signal) => {
        this.#lifeline?.destroy();
        resolve({ problem: signal === null ? `exit code ${code}` : `signal ${signal}` });
      });
    });
  }

  send(message: ToHost): void {
    // A host that has ended meanwhile is noticed by its end.
    this.#child.send(message, () => undefined);
  }

  terminate(): void {
    this.#child.kill('SIGTERM');
  }

  kill(): void {
    const { pid, exitCode, signalCode } = this.#child;
    // Of a process that is gone the number may be another's.
    if (pid === undefined || exitCode !== null || signalCode !== null) return;
    try {
      process.kill(hasProcessGroups ? -pid : pid, 'SIGKILL');
    } catch {
      // It has just ended by itself.
    }
  }

  ref(): void {
    this.#child.ref();
    this.#child.channel?.ref();
  }

  unref(): void {
    this.#child.unref();
    this.#child.channel?.unref();
    this.#lifeline?.unref();
  }
}
