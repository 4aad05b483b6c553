import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * The paths, relative to the folder, of the files in it and below it whose names match. Hidden folders, and folders `node_modules`
 * inside of it, are left out; symbolic links are not followed, so that no file is found twice.
 */
export async function findFiles(folder: string, suffixes: RegExp): Promise<string[]> {
  const files: string[] = [];
  const search = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      const path = join(below, entry.name);
      if (entry.isFile() && suffixes.test(entry.name)) files.push(path);
      if (entry.isDirectory() && !entry.name.startsWith('.') && entry.name !== 'node_modules') await search(path);
    }
  };
  await search('').catch((error: unknown) => {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new Error(`there is no folder ${folder}`);
    if (code === 'ENOTDIR') throw new Error(`${folder} is not a folder`);
    throw new Error(`the folder ${folder} cannot be read: ${message}`);
  });
  return files;
}
