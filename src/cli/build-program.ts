import { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { addAddCommand } from './add.js';
import { addDropCommand } from './drop.js';
import { addFlowCommand } from './flow.js';
import { addMigrateCommand } from './migrate.js';
import { packageVersion } from './package-version.js';
import { addSummaryCommand } from './summary.js';
import { addWorkCommand } from './work.js';

const afterHelp = `
Which queue is meant comes from flags, else the environment (PG_COORDINATE_DATABASE, DATABASE_URL, PG_COORDINATE_NAMESPACE, ...), else
pg-coordinate.yaml here or ~/.config/pg-coordinate/config.yaml; --verbose says which.

Exit codes: 0 done; 1 failed, with a sentence on standard error; 2 wrong arguments, nothing was done; 3 doctor has found something, or
flow --dry-run something to change; 130 ended by Ctrl-C.`;

/** The program with all its commands. */
export async function buildProgram(io: CommandIo): Promise<Command> {
  const program = new Command('pg-coordinate')
    .description('Sees and steers a pg-coordinate queue.')
    .version(await packageVersion(), '--version', 'print the version of this package')
    .addHelpText('after', afterHelp)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void io.stdout.stream.write(text),
      writeErr: (text) => void io.stderr.stream.write(text),
      outputError: () => undefined,
    });
  // Commands take over the settings made so far.
  addMigrateCommand(program, io);
  addDropCommand(program, io);
  addFlowCommand(program, io);
  addAddCommand(program, io);
  addWorkCommand(program, io);
  addSummaryCommand(program, io);
  return program;
}
