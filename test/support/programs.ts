import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The command line. */
export const compiledCli = (): string => compiledProgram(new URL('../../src/cli/main.ts', import.meta.url));

/** Where a program of ours lies as plain JavaScript, which Node runs as it is (see global-programs.ts). */
export function compiledProgram(source: URL): string {
  return join(inject('programs'), relative(root, fileURLToPath(source)).replace(/\.ts$/, '.js'));
}
