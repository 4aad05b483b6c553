import type { Command } from 'commander';
import { migrate } from '../core/connect.js';
import { addDatabaseOptions, type DatabaseOptions } from './database-options.js';

export function addMigrateCommand(program: Command): void {
  const command = program.command('migrate').description('create the tables, or bring them up to date');
  addDatabaseOptions(command).action(async ({ database, schema, buckets }: DatabaseOptions) => {
    await migrate(database, { schema, buckets });
    console.log(`The tables in the schema "${schema}" are up to date.`);
  });
}
