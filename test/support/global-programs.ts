import { chmod, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, transform, type BuildOptions, type Plugin } from 'esbuild';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    programs: string;
  }
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** What processes of tests begin with, and threads of the product. Tests find them by compiledProgram(), see programs.ts. */
const programs = /^(?:src\/cli\/main\.ts|src\/worker\/isolated\/host\.ts|test\/example\/(?:main|worker)\.ts|test\/.*(?:\.process|-program)\.ts)$/;

/**
 * The product and the programs of tests as plain JavaScript, in a folder of the same shape: a process that runs one starts in a third of
 * the time that it takes with tsx, and there are hundreds of them.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-programs-'));
  await chmod(folder, 0o755);
  for (const name of ['node_modules', 'migrations']) await symlink(join(root, name), join(folder, name));
  const manifest = (await readFile(join(root, 'package.json'), 'utf8')).replaceAll('"./dist/', '"./src/');
  await writeFile(join(folder, 'package.json'), manifest);
  const files = [...(await filesOf('src')), ...(await filesOf('test'))];
  const options: BuildOptions = {
    absWorkingDir: root,
    outbase: root,
    outdir: folder,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Names of functions and classes are part of what is told and asked.
    keepNames: true,
    logLevel: 'warning',
  };
  // Each file by itself, for whatever is loaded by its path.
  await build({ ...options, entryPoints: files });
  // A hundred files take as long to find and to read as Node takes to start. What the package exports is bundled together with the
  // programs, so that a handler's module that imports it has the same classes as the program that runs the handler.
  const bundled = [...files.filter((file) => programs.test(file)), ...exportedOf(manifest)];
  await build({ ...options, entryPoints: bundled, bundle: true, splitting: true, packages: 'external', chunkNames: 'shared/[hash]', plugins: [urlsAsInFiles(folder)], allowOverwrite: true });
  project.provide('programs', folder);
  return () => rm(folder, { recursive: true, force: true });
}

async function filesOf(folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && /(?<!\.test|\.d)\.[jt]s$/.test(entry.name) && !/node_modules|test.bench/.test(entry.parentPath))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** The sources of what the package exports. */
function exportedOf(manifest: string): string[] {
  return [...manifest.matchAll(/"default": "\.\/(src\/[\w/-]+)\.js"/g)].map(([, path]) => `${path}.ts`);
}

/** What lies beside a file is looked for beside it, not beside what it was bundled into. */
function urlsAsInFiles(folder: string): Plugin {
  return {
    name: 'urls as in files',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\.[jt]s$/ }, async ({ path }) => {
        const text = await readFile(path, 'utf8');
        if (!text.includes('import.meta.url')) return undefined;
        const url = pathToFileURL(join(folder, relative(root, path).replace(/\.ts$/, '.js'))).href;
        const loader = path.endsWith('.ts') ? 'ts' : 'js';
        const { code } = await transform(text, { loader, target: 'node20', define: { 'import.meta.url': JSON.stringify(url) } });
        return { contents: code, loader: 'js' };
      });
    },
  };
}
