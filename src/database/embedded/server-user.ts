import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from '../../errors/index.js';

const run = promisify(execFile);

/** The account the server runs as, where it cannot run as the account of this process. */
export interface ServerUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/**
 * PostgreSQL refuses to run as root, and its initdb insists on an account that the system knows by name, so no made-up uid will
 * do. None is created: `nobody` exists everywhere. `_postgres` is the account's name on macOS.
 */
const candidates = ['postgres', '_postgres', 'nobody'] as const;

/** Whom to run the server as: undefined (as ourselves) unless this process is root. */
export async function findServerUser(names: readonly string[] = candidates): Promise<ServerUser | undefined> {
  if (process.geteuid?.() !== 0) return undefined;
  for (const name of names) {
    const user = await lookUp(name);
    if (user !== undefined) return user;
  }
  throw new EmbeddedPostgresError(
    `PostgreSQL does not run as root, and this system has none of the users ${names.join(', ')} to run it as`,
  );
}

/** By id(1) rather than by reading /etc/passwd, which does not list every account on every system. */
async function lookUp(name: string): Promise<ServerUser | undefined> {
  try {
    const [uid, gid] = await Promise.all([run('id', ['-u', name]), run('id', ['-g', name])]);
    const user = { name, uid: Number(uid.stdout), gid: Number(gid.stdout) };
    return user.uid > 0 && Number.isSafeInteger(user.gid) ? user : undefined;
  } catch {
    return undefined;
  }
}

/** The part of spawn's options that makes a child process that user's. */
export function asUser(user: ServerUser | undefined): { uid?: number; gid?: number } {
  return user === undefined ? {} : { uid: user.uid, gid: user.gid };
}

/** Whether the server could enter a directory: one above it may be closed to it, as root's home is. */
export async function canEnter(user: ServerUser | undefined, directory: string): Promise<boolean> {
  if (user === undefined) return true;
  try {
    await run('/bin/sh', ['-c', 'cd -- "$1"', 'sh', directory], { ...asUser(user), cwd: '/' });
    return true;
  } catch {
    return false;
  }
}
