import { execFile } from 'node:child_process';
import { readFile, readlink, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from '../../errors/index.js';

/** What a server says about itself in the file postmaster.pid of its data directory. */
interface PidFile {
  readonly pid: number | undefined;
  /** Whether it accepts connections. */
  readonly ready: boolean;
}

export async function readPidFile(dataDirectory: string): Promise<PidFile | undefined> {
  let text: string;
  try {
    text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  // Line 1 is the process id (negative of a standalone backend), line 8 the status, padded.
  const lines = text.split('\n');
  const pid = Math.abs(Number(lines[0]));
  return { pid: Number.isSafeInteger(pid) && pid > 0 ? pid : undefined, ready: lines[7]?.trim() === 'ready' };
}

/**
 * Removes the file that a crash left behind, and throws if a server is still running. PostgreSQL does this too, but gives up if
 * the file is damaged, or if any process now has the id in it, which in a container, where ids start again from 1, is likely.
 * Should a server start at this very moment, it finds its file gone and shuts itself down; and a second one is kept from the data
 * by the shared memory segment that belongs to the directory.
 */
export async function claimPidFile(dataDirectory: string): Promise<void> {
  const file = await readPidFile(dataDirectory);
  if (file === undefined) return;
  if (file.pid !== undefined && (await isServerOf(file.pid, dataDirectory))) throw directoryInUse(dataDirectory, file.pid);
  await rm(join(dataDirectory, 'postmaster.pid'), { force: true });
}

export function directoryInUse(dataDirectory: string, pid: number | undefined): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`a server is already running in ${dirname(dataDirectory)} (process ${pid ?? 'unknown'})`);
}

export function directoryBeingUsed(dataDirectory: string, options?: ErrorOptions): EmbeddedPostgresError {
  return new EmbeddedPostgresError(`another process is starting a server in ${dirname(dataDirectory)}`, options);
}

/** In doubt yes: a PostgreSQL whose directory cannot be seen counts. */
async function isServerOf(pid: number, dataDirectory: string): Promise<boolean> {
  if (!(await commandOf(pid)).includes('postgres')) return false;
  if (process.platform !== 'linux') return true;
  // A server's working directory is its data directory.
  return readlink(`/proc/${pid}/cwd`).then(
    (directory) => directory === dataDirectory,
    (error: unknown) => (error as NodeJS.ErrnoException).code !== 'ENOENT',
  );
}

/** Empty if there is no such process. Linux without ps(1), as in slim containers, has /proc. */
async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return (await promisify(execFile)('ps', ['-o', 'command=', '-p', String(pid)])).stdout;
  } catch {
    return '';
  }
}
