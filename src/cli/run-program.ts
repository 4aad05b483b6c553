import { Command, CommanderError } from 'commander';
import { CoordinateError } from '../errors/index.js';
import { addDropCommand } from './drop.js';
import { addMigrateCommand } from './migrate.js';
import { packageVersion } from './package-version.js';
import { addServeCommand } from './serve/serve.js';
import { addSummaryCommand } from './summary.js';
import { addTokenCommand } from './token.js';
import { UsageError } from './usage-error.js';

/** What a process that ends tells whoever has started it. */
const exitCodes = { done: 0, failed: 1, misused: 2 } as const;

/** Runs the command that the arguments name; resolves to the exit code. Errors are one sentence on standard error. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = new Command('pg-coordinate')
    .description('Looks after a pg-coordinate queue, and serves it.')
    .version(await packageVersion(), '--version', 'print the version of this package')
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  // Commands take over the settings made so far.
  addMigrateCommand(program);
  addDropCommand(program);
  addSummaryCommand(program);
  addServeCommand(program);
  addTokenCommand(program);
  if (args.length === 0) {
    process.stderr.write(program.helpInformation());
    return exitCodes.misused;
  }
  try {
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    console.error(`pg-coordinate: ${sentenceOf(error)}`);
    return isMisuse(error) ? exitCodes.misused : exitCodes.failed;
  }
}

/** Whether the arguments were wrong, not what came of them. */
function isMisuse(error: unknown): boolean {
  if (error instanceof CoordinateError) return error.code === 'InvalidArgument';
  return error instanceof CommanderError || error instanceof UsageError;
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error instanceof CoordinateError && error.code === 'InvalidArgument') return `${optionOf(error)} ${error.details.problem}`;
  return error.message.replace(/^error: /, '').replaceAll(/\s*\n\s*/g, ' ');
}

/** What the option is called here that the library calls `target` or `options.schema`. */
function optionOf({ details }: CoordinateError): string {
  const name = String(details.field).replace(/^options\./, '');
  return `--${name === 'target' ? 'database' : name}`;
}
