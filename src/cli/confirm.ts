import { createInterface } from 'node:readline/promises';
import type { CommandIo } from './command-io.js';
import { UsageError } from './usage-error.js';

/** Asks at the terminal; resolves to what was typed, '' for Ctrl-D and Ctrl-C. */
export async function askFor(question: string, io: CommandIo): Promise<string> {
  const terminal = createInterface({ input: io.stdin, output: io.stderr.stream });
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  try {
    return await Promise.race([terminal.question(question), closed]);
  } finally {
    terminal.close();
  }
}

/**
 * Says what is about to happen, and raises unless somebody at a terminal says yes. `--yes` answers beforehand; without a terminal it
 * must.
 */
export async function confirm(consequence: string, { yes }: { readonly yes?: boolean }, io: CommandIo): Promise<void> {
  if (yes === true) return;
  if (io.stdin.isTTY !== true) throw new UsageError(`${consequence}; without a terminal to ask on, give --yes`);
  const answer = await askFor(`${consequence}. Go on? [y/N] `, io);
  if (!/^y(es)?$/i.test(answer.trim())) throw new Error('nothing was changed');
}
