import { randomBytes } from 'node:crypto';
import { chown, mkdir, mkdtemp, open, readFile, realpath, rename, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { EmbeddedPostgresError } from '../../errors/index.js';
import { claimPidFile, directoryBeingUsed } from './pid-file.js';
import { canEnter, type ServerUser } from './server-user.js';

/** PostgreSQL's own directory for a server, and what is known about it before the server starts. */
export interface DataDirectory {
  /** Where the server runs. */
  readonly path: string;
  /** Where initdb is to run first; something other than `path` if a half-done one must not be taken for a whole one. */
  readonly initialiseAt: string | undefined;
  readonly password: string;
  /** Whether the data outlives the server. */
  readonly persistent: boolean;
}

/** PostgreSQL does not mind a file of ours in its directory, and there it moves, is copied and is protected with the data. */
const passwordFile = 'pg-coordinate.password';

/** 24 bytes, in characters that need no escape in a URL. */
function newPassword(): string {
  return randomBytes(24).toString('base64url');
}

export function temporaryDataDirectory(runDirectory: string): DataDirectory {
  const path = join(runDirectory, 'data');
  return { path, initialiseAt: path, password: newPassword(), persistent: false };
}

/**
 * A directory of the user's choice. PostgreSQL's data goes into a subdirectory, so that the directory itself may be a mount
 * point: initdb then works beside it and the result is renamed, which either happens or does not.
 */
export async function persistentDataDirectory(directory: string, user: ServerUser | undefined): Promise<DataDirectory> {
  const own = await ensureDirectory(resolve(directory), user);
  const path = join(own, 'data');
  if (await exists(path)) {
    await claimPidFile(path);
    return { path, initialiseAt: undefined, password: await readPassword(path), persistent: true };
  }
  const initialiseAt = await mkdtemp(join(own, 'initialising-'));
  if (user !== undefined) await chown(initialiseAt, user.uid, user.gid);
  return { path, initialiseAt, password: newPassword(), persistent: true };
}

/** PostgreSQL refuses it too, but what it says depends on which setting it stumbles over first. */
export async function checkMajorVersion(data: DataDirectory, version: string): Promise<void> {
  if (data.initialiseAt !== undefined) return;
  const written = (await readFile(join(data.path, 'PG_VERSION'), 'utf8')).trim();
  if (written === version.split('.')[0]) return;
  throw new EmbeddedPostgresError(`${dirname(data.path)} was made by PostgreSQL ${written}, and this is PostgreSQL ${version}`);
}

/** After initdb: keeps the password for the next time and puts the directory into its place. */
export async function settleDataDirectory(data: DataDirectory, user: ServerUser | undefined): Promise<void> {
  if (!data.persistent || data.initialiseAt === undefined) return;
  await writePrivate(join(data.initialiseAt, passwordFile), data.password, user);
  try {
    await rename(data.initialiseAt, data.path);
  } catch (error) {
    // Not empty, as another process that was initialising it too came first.
    if (!(await exists(data.path))) throw error;
    throw directoryBeingUsed(data.path, { cause: error });
  }
}

/** A file for nobody but the server's user, on the disk when this resolves. */
export async function writePrivate(path: string, text: string, user: ServerUser | undefined): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    if (user !== undefined) await file.chown(user.uid, user.gid);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The real path, as it is compared with what the system says about running servers. */
async function ensureDirectory(directory: string, user: ServerUser | undefined): Promise<string> {
  await mkdir(dirname(directory), { recursive: true });
  try {
    await mkdir(directory, { mode: 0o700 });
    if (user !== undefined) await chown(directory, user.uid, user.gid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (await exists(join(directory, 'PG_VERSION'))) {
    throw new EmbeddedPostgresError(`${directory} is a data directory of PostgreSQL that this package did not make`);
  }
  if (!(await canEnter(user, directory))) {
    throw new EmbeddedPostgresError(
      `${directory} cannot be entered by the user ${user?.name}, whom the server runs as because PostgreSQL refuses to run as root`,
    );
  }
  return realpath(directory);
}

async function readPassword(path: string): Promise<string> {
  try {
    return await readFile(join(path, passwordFile), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new EmbeddedPostgresError(`${path} is a data directory that this package did not make`, { cause: error });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
