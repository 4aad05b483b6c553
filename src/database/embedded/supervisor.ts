import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { open, rm, type FileHandle } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { EmbeddedPostgresError } from '../../errors/index.js';
import { serverEnvironment } from './server-environment.js';
import { asUser, type ServerUser } from './server-user.js';
import { supervisorScript } from './supervisor-script.js';

export interface SupervisorOptions {
  readonly user: ServerUser | undefined;
  /** Holds the log, the password for initdb, the binaries (as `native`); deleted at the end. */
  readonly runDirectory: string;
  /** Where initdb is to write. Deleted at the end if it is still there. */
  readonly newDataDirectory: string;
  readonly stopSignal: 'INT' | 'QUIT';
  readonly serverArguments: readonly string[];
}

/** How long the server may take to end before it is made to, in ms. Longer than the last checkpoint of a large database takes. */
const patienceMs = 60_000;

/** As much of the log as an error message shows. */
const logTailBytes = 4_096;
const logTailLines = 12;

/**
 * The process that runs initdb and the server for us, and that stops the server and deletes what is temporary when this process
 * stops it or ends, in whatever way: see supervisor-script.ts.
 */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #child: ChildProcess;
  readonly #log: FileHandle;
  readonly #stdin: Socket;
  readonly #reports: Socket;
  readonly #reportLines: AsyncIterator<string>;
  readonly #serverLife: Socket;
  readonly #exited: Promise<NodeJS.Signals | null>;
  #serverPid: number | undefined;
  #stopped: Promise<void> | undefined;

  /** Settled when all of the server's processes have ended. */
  readonly serverEnded: Promise<void>;

  static async start(options: SupervisorOptions): Promise<Supervisor> {
    const log = await open(join(options.runDirectory, 'log'), 'ax+', 0o600);
    try {
      const { user, runDirectory, newDataDirectory, stopSignal, serverArguments } = options;
      const parameters = [runDirectory, newDataDirectory, stopSignal, ...serverArguments];
      const child = spawn('/bin/sh', ['-c', supervisorScript, 'pg-coordinate-supervisor', ...parameters], {
        ...asUser(user),
        cwd: '/',
        env: serverEnvironment,
        // A session of its own: Ctrl-C in a terminal goes to all of a process group, and would end the supervisor too early.
        detached: true,
        stdio: ['pipe', log.fd, log.fd, 'pipe', 'pipe'],
      });
      await once(child, 'spawn');
      return new Supervisor(options, child, log);
    } catch (error) {
      await log.close();
      throw error;
    }
  }

  private constructor(options: SupervisorOptions, child: ChildProcess, log: FileHandle) {
    this.#options = options;
    this.#child = child;
    this.#log = log;
    this.#exited = new Promise((resolve) => child.once('exit', (_status, signal) => resolve(signal)));
    // Pipes to a child process are sockets, though the types do not say so.
    this.#stdin = child.stdin as Socket;
    this.#reports = child.stdio[3] as Socket;
    this.#serverLife = child.stdio[4] as Socket;
    // Writing to a supervisor that was killed fails; that is noticed by the reports ending.
    for (const pipe of [this.#stdin, this.#reports, this.#serverLife]) pipe.on('error', () => undefined);
    this.#reportLines = createInterface({ input: this.#reports })[Symbol.asyncIterator]();
    this.serverEnded = new Promise((resolve) => this.#serverLife.once('close', () => resolve()));
    this.#serverLife.resume();
  }

  /** Runs initdb in the new data directory, with the password in the run directory's file `password`. */
  async initialise(durable: boolean): Promise<void> {
    if ((await this.#command(durable ? 'initialise' : 'initialise --no-sync')) === 'initialised') return;
    throw new EmbeddedPostgresError(`initdb failed:\n${await this.logTail()}\n`);
  }

  /** Starts the server and answers its process id; whether it comes up is another question. */
  async serve(port: number): Promise<number> {
    this.#serverPid = Number(await this.#command(`serve ${port}`));
    return this.#serverPid;
  }

  async #command(line: string): Promise<string> {
    this.#stdin.write(`${line}\n`);
    const report = await this.#reportLines.next();
    if (report.done === true) throw new EmbeddedPostgresError('its supervising process was killed');
    return report.value;
  }

  /** The last lines of the log; not to be called after `release`. */
  async logTail(): Promise<string> {
    const { size } = await this.#log.stat();
    const { buffer, bytesRead } = await this.#log.read({
      buffer: Buffer.alloc(logTailBytes),
      position: Math.max(0, size - logTailBytes),
    });
    return buffer.toString('utf8', 0, bytesRead).trimEnd().split('\n').slice(-logTailLines).join('\n');
  }

  /** Once started: lets this process end when it has nothing else to do, which stops the server. */
  async release(): Promise<void> {
    this.#child.unref();
    for (const pipe of [this.#stdin, this.#reports, this.#serverLife]) pipe.unref();
    await this.#log.close();
  }

  /** Resolves when the server has ended and what is temporary is deleted. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#child.ref();
    this.#stdin.end();
    // A process of the server's that does not react would be waited for without end. QUIT has it killed, and the log replayed at the
    // next start.
    const impatience = setTimeout(() => this.#signalServer('QUIT'), patienceMs);
    // Null when it came to its own end; otherwise it was killed and could not do its duty.
    if ((await this.#exited) !== null) await this.#standIn();
    clearTimeout(impatience);
    for (const pipe of [this.#stdin, this.#reports, this.#serverLife]) pipe.destroy();
    await this.#log.close();
  }

  async #standIn(): Promise<void> {
    if (this.#signalServer(this.#options.stopSignal)) {
      this.#serverLife.ref();
      await this.serverEnded;
    }
    await rm(this.#options.runDirectory, { recursive: true, force: true, maxRetries: 5 });
    await rm(this.#options.newDataDirectory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Whether there is a server that can be told. */
  #signalServer(signal: 'INT' | 'QUIT'): boolean {
    // The server's pipe tells that it is still the server that has this process id.
    if (this.#serverPid === undefined || this.#serverLife.closed) return false;
    process.kill(this.#serverPid, `SIG${signal}`);
    return true;
  }
}
