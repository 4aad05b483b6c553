import { InvalidArgumentError, type Command } from 'commander';

/** The options that say which queue is meant. */
export interface DatabaseOptions {
  readonly database?: string;
  readonly schema: string;
  readonly buckets: number;
}

export function addDatabaseOptions(command: Command): Command {
  return command
    .option('--database <url>', 'such as postgres://localhost/app (default: DATABASE_URL, or PGHOST and its like)')
    .option('--schema <name>', "the schema of the queue's catalog", 'coordinate')
    .option('--buckets <number>', 'over how many buckets namespaces are spread', wholeNumber, 1);
}

function wholeNumber(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It must be a whole number from 1 on.');
  return Number(text);
}
