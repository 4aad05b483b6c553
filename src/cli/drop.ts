import type { Command } from 'commander';
import { drop } from '../core/connect.js';
import { describeTarget, parseTarget } from '../database/target/index.js';
import type { CommandIo } from './command-io.js';
import { requirePostgres } from './connect-target.js';
import { askFor } from './confirm.js';
import { addDatabaseOptions, readSettings, type CommonOptions } from './settings.js';
import { UsageError } from './usage-error.js';

interface DropOptions extends CommonOptions {
  readonly yes: boolean;
}

export function addDropCommand(program: Command, io: CommandIo): void {
  const command = program.command('drop').description('remove the tables and everything in them, of all buckets');
  addDatabaseOptions(command)
    .option('--yes', 'do not ask', false)
    .action(async (options: DropOptions) => {
      const settings = await readSettings(options, io);
      requirePostgres(settings, 'drop');
      const { database, schema, buckets } = settings;
      if (!options.yes) await confirmDrop(schema, describeTarget(parseTarget(database, io.environment) ?? {}), io);
      await drop(database, { schema, buckets, environment: io.environment });
      await io.stdout.line(`The schema "${schema}" and its buckets are removed.`);
    });
}

/** Raises unless somebody at a terminal types the name of what is to be removed. */
async function confirmDrop(schema: string, target: string, io: CommandIo): Promise<void> {
  if (io.stdin.isTTY !== true) throw new UsageError('drop removes all work there is; without a terminal to ask on, give --yes');
  await io.stderr.line(`This removes all namespaces, work specs and work units at ${target}.`);
  const answer = await askFor(`To go on, type the name of the schema (${schema}): `, io);
  if (answer.trim() !== schema) throw new Error('nothing was removed');
}
