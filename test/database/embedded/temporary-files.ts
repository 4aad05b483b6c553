import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, vi } from 'vitest';

/** A TMPDIR of a test file's own, so that "nothing is left behind" means an empty directory and no process that names it. */
export function useTemporaryFiles(): { readonly directory: string } {
  const own = { directory: '' };
  // Each test starts a server or two, which takes seconds on a busy machine.
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });
  beforeAll(async () => {
    own.directory = await mkdtemp(join(tmpdir(), 'embedded-test-'));
    await chmod(own.directory, 0o777);
    vi.stubEnv('TMPDIR', own.directory);
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await rm(own.directory, { recursive: true });
  });
  return own;
}

/** What servers have there; tsx keeps its cache there too. */
export async function runDirectories(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.startsWith('pg-coordinate-'));
}

/** The ids of supervisors, initdbs and servers that have to do with a directory. */
export async function processesNaming(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((pid, index) => pid !== process.pid && commands[index]?.includes(directory));
}

export async function expectNothingLeft(directory: string): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await processesNaming(directory)).toEqual([]);
      expect(await runDirectories(directory)).toEqual([]);
    },
    { timeout: 30_000, interval: 20 },
  );
}
