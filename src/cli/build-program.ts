import { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { addAddCommand } from './add.js';
import { addDropCommand } from './drop.js';
import { addFlowCommand } from './flow.js';
import { addMigrateCommand } from './migrate.js';
import { addSpecsCommand } from './specs.js';
import { addUnitsCommand } from './units.js';
import { addAttemptsCommand } from './attempts.js';
import { addWorkersCommand } from './workers.js';
import { addShowCommand } from './show.js';
import { addPauseCommands } from './pause.js';
import { addWeightCommand } from './weight.js';
import { addPriorityCommand } from './priority.js';
import { addRetryCommand } from './retry.js';
import { addFailCommand } from './fail.js';
import { addCancelCommand } from './cancel.js';
import { addDeleteCommand } from './delete.js';
import { addClearCommand } from './clear.js';
import { addFailedCommand } from './failed.js';
import { addExportCommand } from './export.js';
import { addImportCommand } from './import.js';
import { addDoctorCommand } from './doctor.js';
import { addTopCommand } from './top.js';
import { addBenchCommand } from './bench.js';
import { addCompletionCommand } from './completion.js';
import { packageVersion } from './package-version.js';
import { addServeCommand } from './serve/serve.js';
import { addTokenCommand } from './token.js';
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
  addServeCommand(program);
  addTokenCommand(program);
  addFlowCommand(program, io);
  addAddCommand(program, io);
  addWorkCommand(program, io);
  addSummaryCommand(program, io);
  addSpecsCommand(program, io);
  addUnitsCommand(program, io);
  addAttemptsCommand(program, io);
  addWorkersCommand(program, io);
  addShowCommand(program, io);
  addPauseCommands(program, io);
  addWeightCommand(program, io);
  addPriorityCommand(program, io);
  addRetryCommand(program, io);
  addFailCommand(program, io);
  addCancelCommand(program, io);
  addDeleteCommand(program, io);
  addClearCommand(program, io);
  addFailedCommand(program, io);
  addExportCommand(program, io);
  addImportCommand(program, io);
  addDoctorCommand(program, io);
  addTopCommand(program, io);
  addBenchCommand(program, io);
  addCompletionCommand(program, io);
  return program;
}
