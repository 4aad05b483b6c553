import { createInterface } from 'node:readline/promises';
import type { Command } from 'commander';
import { drop } from '../core/connect.js';
import { describeTarget, parseTarget } from '../database/target/index.js';
import { addDatabaseOptions, type DatabaseOptions } from './database-options.js';
import { UsageError } from './usage-error.js';

interface DropOptions extends DatabaseOptions {
  readonly yes: boolean;
}

export function addDropCommand(program: Command): void {
  const command = program.command('drop').description('remove the tables and everything in them, of all buckets');
  addDatabaseOptions(command)
    .option('--yes', 'do not ask', false)
    .action(async ({ database, schema, buckets, yes }: DropOptions) => {
      if (!yes) await confirm(schema, describeTarget(parseTarget(database, process.env) ?? {}));
      await drop(database, { schema, buckets });
      console.log(`The schema "${schema}" and its buckets are removed.`);
    });
}

/** Raises unless somebody at a terminal types the name of what is to be removed. */
async function confirm(schema: string, target: string): Promise<void> {
  if (!process.stdin.isTTY) throw new UsageError('drop removes all work there is; without a terminal to ask on, give --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  console.error(`This removes all namespaces, work specs and work units at ${target}.`);
  const answered = terminal.question(`To go on, type the name of the schema (${schema}): `);
  // Ctrl-D and Ctrl-C are answers, too.
  const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  const answer = await Promise.race([answered, closed]);
  terminal.close();
  if (answer.trim() !== schema) throw new Error('nothing was removed');
}
