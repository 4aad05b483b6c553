import { chmod, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    programs: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * The product and the programs of tests as plain JavaScript, in a folder of the same shape: a process that runs one starts in half of the
 * time that it takes with tsx, and there are hundreds of them. See programs.ts.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-programs-'));
  await chmod(folder, 0o755);
  for (const name of ['node_modules', 'migrations']) await symlink(join(root, name), join(folder, name));
  const manifest = await readFile(join(root, 'package.json'), 'utf8');
  await writeFile(join(folder, 'package.json'), manifest.replaceAll('"./dist/', '"./src/'));
  const files = [...(await filesOf('src')), ...(await filesOf('test'))];
  await Promise.all(files.map((file) => compile(file, join(folder, relative(root, file)))));
  project.provide('programs', folder);
  return () => rm(folder, { recursive: true, force: true });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /(?<!\.test|\.d)\.[jt]s$/.test(entry.name) && !/node_modules|test.bench/.test(entry.parentPath))
    .map((entry) => join(entry.parentPath, entry.name));
}

const compilerOptions: ts.CompilerOptions = { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext, verbatimModuleSyntax: true };

async function compile(from: string, to: string): Promise<void> {
  const text = await readFile(from, 'utf8');
  await mkdir(dirname(to), { recursive: true });
  const isPlain = from.endsWith('.js');
  await writeFile(to.replace(/\.ts$/, '.js'), isPlain ? text : ts.transpileModule(text, { compilerOptions, fileName: from }).outputText);
}
