import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, beforeAll } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The command line as plain JavaScript, made once for a test file: a process of it starts in a third of the time that tsx takes. To be
 * called at the top of the file; what it returns can be called from within tests.
 */
export function useCompiledCli(): () => string {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-compiled-'));
    // As far from what is beside src/ as from what is beside dist/.
    for (const name of ['node_modules', 'package.json', 'migrations']) await symlink(join(root, name), join(folder, name));
    const source = join(root, 'src');
    const files = (await readdir(source, { recursive: true })).filter((file) => /\.[jt]s$/.test(file));
    await Promise.all(files.map((file) => compile(join(source, file), join(folder, 'dist', file))));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));
  return () => join(folder, 'dist/cli/main.js');
}

async function compile(from: string, to: string): Promise<void> {
  const text = await readFile(from, 'utf8');
  await mkdir(dirname(to), { recursive: true });
  if (from.endsWith('.js')) {
    await writeFile(to, text);
    return;
  }
  const options: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };
  await writeFile(to.replace(/\.ts$/, '.js'), ts.transpileModule(text, { compilerOptions: options, fileName: from }).outputText);
}
