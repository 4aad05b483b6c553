import { wallClock } from '../clock/index.js';
import type { Command } from 'commander';
import pg from 'pg';
import { describeTarget, parseTarget } from '../database/target/index.js';
import { translateConnectError } from '../database/translate-error.js';
import { examine, type Result } from '../doctor/index.js';
import { InvalidArgumentError } from '../errors/index.js';
import { duration } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { requirePostgres } from './connect-target.js';
import { countOf } from './count-text.js';
import { FoundError } from './found-error.js';
import { addDatabaseOptions, readSettings, type CommonOptions, type Settings } from './settings.js';

interface DoctorOptions extends CommonOptions {
  readonly json: boolean;
  readonly transactionAge?: number;
}

export function addDoctorCommand(program: Command, io: CommandIo): void {
  const command = program.command('doctor').description('look for what harms the queue in its database, and say what to do; exit code 3 if there is anything');
  addDatabaseOptions(command)
    .option('--json', 'print JSON', false)
    .option('--transaction-age <time>', 'from when on an open transaction counts (default: 5m)', duration)
    .action(async (options: DoctorOptions) => {
      const settings = await readSettings(options, io);
      requirePostgres(settings, 'doctor');
      const client = await connectClient(settings, io);
      try {
        await report(client, settings, options, io);
      } finally {
        await client.end().catch(() => undefined);
      }
    });
}

/** Not by connect(), which refuses tables that are not as they should be. */
async function connectClient({ database }: Settings, { environment }: CommandIo): Promise<pg.Client> {
  const config = parseTarget(database, environment);
  if (config === null) {
    throw new InvalidArgumentError('target', 'says no database, and neither do DATABASE_URL and PGHOST; give one, such as postgres://localhost/app');
  }
  const client = new pg.Client(config);
  client.on('error', () => undefined);
  await client.connect().catch((error: unknown) => {
    throw translateConnectError(error, describeTarget(config));
  });
  return client;
}

async function report(client: pg.Client, { schema, buckets }: Settings, options: DoctorOptions, io: CommandIo): Promise<void> {
  const { json, transactionAge } = options;
  const limits = transactionAge === undefined ? {} : { transactionAgeMs: transactionAge };
  const results: Result[] = [];
  for await (const result of examine(client, { schema, buckets, now: () => wallClock.now(), limits })) {
    io.signal.throwIfAborted();
    results.push(result);
    if (!json) await io.stdout.write(resultText(result, io));
  }
  const found = results.flatMap(({ findings }) => findings);
  const problems = found.filter(({ severity }) => severity === 'problem').length;
  if (json) await io.stdout.line(JSON.stringify(results, null, 2));
  else await io.stdout.line(found.length === 0 ? 'All is well.' : `${countOf(problems, 'problem')}, ${countOf(found.length - problems, 'warning')}.`);
  if (found.length > 0) throw new FoundError();
}

function resultText({ check, findings }: Result, { stdout }: CommandIo): string {
  if (findings.length === 0) return `${stdout.styled('green', 'ok')}  ${check}\n`;
  const lines = findings.map(({ severity, text, advice }) => {
    return `${stdout.styled(severity === 'problem' ? 'red' : 'yellow', severity)}  ${check}: ${text}\n    ${advice}`;
  });
  return `${lines.join('\n')}\n`;
}
