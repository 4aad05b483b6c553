import { chown, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canEnter, type ServerUser } from './server-user.js';

/** A new private directory for one server, readable by its user only. */
export async function createRunDirectory(user: ServerUser | undefined): Promise<string> {
  const directory = await createIn(tmpdir(), user);
  if (await canEnter(user, directory)) return directory;
  // root's TMPDIR may be for root alone.
  await rm(directory, { recursive: true });
  return createIn('/tmp', user);
}

async function createIn(parent: string, user: ServerUser | undefined): Promise<string> {
  const directory = await mkdtemp(join(await realpath(parent), 'pg-coordinate-'));
  if (user !== undefined) await chown(directory, user.uid, user.gid);
  return directory;
}
