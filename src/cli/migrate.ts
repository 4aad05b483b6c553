import type { Command } from 'commander';
import { migrate } from '../core/connect.js';
import type { CommandIo } from './command-io.js';
import { requirePostgres } from './connect-target.js';
import { addDatabaseOptions, readSettings, type CommonOptions } from './settings.js';

export function addMigrateCommand(program: Command, io: CommandIo): void {
  const command = program.command('migrate').description('create the tables, or bring them up to date');
  addDatabaseOptions(command).action(async (options: CommonOptions) => {
    const settings = await readSettings(options, io);
    requirePostgres(settings, 'migrate');
    const { database, schema, buckets } = settings;
    await migrate(database, { schema, buckets, environment: io.environment });
    await io.stdout.line(`The tables in the schema "${schema}" are up to date.`);
  });
}
