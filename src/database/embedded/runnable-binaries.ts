import { execFile } from 'node:child_process';
import { chmod, chown, constants, copyFile, mkdir, readdir, readFile, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { EmbeddedPostgresError } from '../../errors/index.js';
import { serverEnvironment } from './server-environment.js';
import { asUser, type ServerUser } from './server-user.js';

const run = promisify(execFile);

/**
 * Makes `place` a folder of PostgreSQL binaries that the server's user can run, and answers their version. Usually that is a link
 * to the package's own folder. It is not enough if
 * - the package's install script was not run, as npm does not by default: links between its libraries are missing, and
 *   executables may not be executable. We may not write there (node_modules can be root's), so the links go to a farm of our own.
 * - node_modules lies where the server's user may not enter, such as root's home. Then everything is copied.
 */
export async function makeRunnable(native: string, place: string, user: ServerUser | undefined): Promise<string> {
  let problem: unknown;
  for (const make of [linkFolder, linkFiles, copyFiles]) {
    await make(native, place, user);
    try {
      return await probe(place, user);
    } catch (error) {
      // The last one is the telling one: after the first there may only have been links missing.
      problem = error;
      await rm(place, { recursive: true, force: true });
    }
  }
  throw new EmbeddedPostgresError(`its programs do not run on this system: ${explain(problem)}`, { cause: problem });
}

/** Both, as they need different libraries. */
async function probe(place: string, user: ServerUser | undefined): Promise<string> {
  const options = { ...asUser(user), cwd: '/', env: serverEnvironment };
  const [postgres] = await Promise.all([
    run(join(place, 'bin', 'postgres'), ['--version'], options),
    run(join(place, 'bin', 'initdb'), ['--version'], options),
  ]);
  const version = /\(PostgreSQL\) (\S+)/.exec(postgres.stdout)?.[1];
  if (version === undefined) throw new Error(`postgres --version answered ${postgres.stdout}`);
  return version;
}

async function linkFolder(native: string, place: string): Promise<void> {
  await symlink(native, place);
}

/** The executables are copied, not linked: they look for libraries and data files next to where they really are. */
async function linkFiles(native: string, place: string, user: ServerUser | undefined): Promise<void> {
  await makeDirectory(place, user);
  await makeDirectory(join(place, 'lib'), user);
  await copyPrograms(native, place, user);
  await symlink(join(native, 'share'), join(place, 'share'));
  for (const name of await readdir(join(native, 'lib'))) {
    await symlink(join(native, 'lib', name), join(place, 'lib', name));
  }
  await addMissingLinks(native, place);
}

async function copyFiles(native: string, place: string, user: ServerUser | undefined): Promise<void> {
  await makeDirectory(place, user);
  await copyPrograms(native, place, user);
  await copyTree(join(native, 'lib'), join(place, 'lib'), user);
  await copyTree(join(native, 'share'), join(place, 'share'), user);
  await addMissingLinks(native, place);
}

async function copyPrograms(native: string, place: string, user: ServerUser | undefined): Promise<void> {
  await copyTree(join(native, 'bin'), join(place, 'bin'), user);
  for (const name of await readdir(join(place, 'bin'))) await chmod(join(place, 'bin', name), 0o755);
}

async function copyTree(source: string, target: string, user: ServerUser | undefined): Promise<void> {
  await makeDirectory(target, user);
  for (const entry of await readdir(source, { withFileTypes: true })) {
    const from = join(source, entry.name);
    const to = join(target, entry.name);
    if (entry.isDirectory()) await copyTree(from, to, user);
    else if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
    else if (!entry.name.endsWith('.a')) await copyFor(user, from, to);
  }
}

/** Owned by the server's user, whose supervisor has to delete it. */
async function makeDirectory(path: string, user: ServerUser | undefined): Promise<void> {
  await mkdir(path);
  if (user !== undefined) await chown(path, user.uid, user.gid);
}

/** Owned by the server's user, because the modes may be as tight as the umask of whoever ran npm. */
async function copyFor(user: ServerUser | undefined, from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  if (user !== undefined) await chown(to, user.uid, user.gid);
}

/** What the package's install script does: npm packages cannot hold links, so it brings a list of them. */
async function addMissingLinks(native: string, place: string): Promise<void> {
  const text = await readFile(join(native, 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  const links = JSON.parse(text) as readonly { readonly source: string; readonly target: string }[];
  for (const { source, target } of links) {
    // Of `native/lib/libpq.so.5`, what is below `native`; both ends are in the same folder.
    const path = join(place, ...target.split('/').slice(1));
    await symlink(source.split('/').at(-1) ?? source, path).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    });
  }
}

function explain(problem: unknown): string {
  const { code, message, stderr } = problem as { code?: unknown; message?: string; stderr?: string };
  if (code === 'ENOENT') return 'they need the GNU C library, which systems such as Alpine Linux do not have';
  if (code === 'EPERM') return 'this process may not run programs as another user, and PostgreSQL does not run as root';
  return [stderr, message].find((text) => text !== undefined && text !== '')?.trim() ?? String(problem);
}
