import { access, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { kindOf } from '../options/index.js';
import type { Handlers } from '../worker/index.js';
import { UsageError } from './usage-error.js';

/** Handlers of work specs whose data nobody here knows the types of. */
export type AnyHandlers = Handlers<Record<string, Record<string, unknown>>>;

/**
 * Imports a module of handlers, TypeScript too: what it exports as `handlers`, or by default. Raises UsageError for a module that is not
 * there or exports none, and whatever the module itself throws.
 */
export async function loadHandlers(module: string, directory: string): Promise<AnyHandlers> {
  const path = resolve(directory, module);
  const isThere = await access(path).then(() => true, () => false);
  if (!isThere) throw new UsageError(`there is no module ${path}`);
  await prepareForTypeScript(path);
  const exported = (await import(pathToFileURL(path).href)) as Record<string, unknown>;
  const byDefault = exported.default as Record<string, unknown> | undefined;
  const handlers = exported.handlers ?? byDefault?.handlers ?? byDefault;
  if (typeof handlers === 'object' && handlers !== null && !Array.isArray(handlers)) return handlers;
  throw new UsageError(
    `${module} must export handlers by work spec, such as export const handlers = { thumbnails: async ({ data }) => {} }, ` +
      `not ${kindOf(handlers)}`,
  );
}

/** Node before 22.18 reads no TypeScript, and later ones only what has types to strip: tsx, where the project has it, reads all. */
async function prepareForTypeScript(path: string): Promise<void> {
  if (!['.ts', '.mts', '.cts', '.tsx'].includes(extname(path)) || isTsxActive()) return;
  const tsx = await findTsx(path);
  if (tsx !== null) {
    // Both: without a package.json that says "module", Node takes a .ts file for CommonJS.
    for (const file of [tsx.esm, tsx.cjs]) {
      const { register } = (await import(pathToFileURL(file).href)) as { register: () => unknown };
      register();
    }
    return;
  }
  if ((process.features as { readonly typescript?: unknown }).typescript) return;
  throw new UsageError(
    `Node ${process.versions.node} cannot read ${path}: install tsx beside it (npm install --save-dev tsx), ` +
      'use Node 22.18 or later, or give the module as JavaScript',
  );
}

function isTsxActive(): boolean {
  return [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((argument) => /\btsx\b/.test(argument));
}

/** The files of tsx that register it, for `import` and `require`: of the module's project, else of the one beside this package. */
async function findTsx(path: string): Promise<{ readonly esm: string; readonly cjs: string } | null> {
  for (const from of [path, import.meta.url]) {
    try {
      const description = createRequire(from).resolve('tsx/package.json');
      const { exports } = JSON.parse(await readFile(description, 'utf8')) as { readonly exports: Readonly<Record<string, TsxEntry>> };
      // By hand, as require() would resolve to the file for require().
      const [esm, cjs] = [exports['./esm/api'], exports['./cjs/api']].map((entry) => entry?.import.default);
      if (esm !== undefined && cjs !== undefined) return { esm: join(dirname(description), esm), cjs: join(dirname(description), cjs) };
    } catch {
      // Not there, or not as we know it.
    }
  }
  return null;
}

interface TsxEntry {
  readonly import: { readonly default: string };
}
