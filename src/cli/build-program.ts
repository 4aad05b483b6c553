import { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { packageVersion } from './package-version.js';

const afterHelp = `
Which queue is meant comes from flags, else the environment (PG_COORDINATE_DATABASE, DATABASE_URL, PG_COORDINATE_NAMESPACE, ...), else
pg-coordinate.yaml here or ~/.config/pg-coordinate/config.yaml; --verbose says which.

Exit codes: 0 done; 1 failed, with a sentence on standard error; 2 wrong arguments, nothing was done; 3 doctor has found something, or
flow --dry-run something to change; 130 ended by Ctrl-C.`;

/** What adds a command to the program. */
type AddCommand = (program: Command, io: CommandIo) => void;

/** All commands, in the order of the help. */
const commands: Readonly<Record<string, () => Promise<AddCommand>>> = {
  migrate: async () => (await import('./migrate.js')).addMigrateCommand,
  drop: async () => (await import('./drop.js')).addDropCommand,
  serve: async () => (await import('./serve/serve.js')).addServeCommand,
  token: async () => (await import('./token.js')).addTokenCommand,
  flow: async () => (await import('./flow.js')).addFlowCommand,
  add: async () => (await import('./add.js')).addAddCommand,
  work: async () => (await import('./work.js')).addWorkCommand,
  summary: async () => (await import('./summary.js')).addSummaryCommand,
  specs: async () => (await import('./specs.js')).addSpecsCommand,
  units: async () => (await import('./units.js')).addUnitsCommand,
  attempts: async () => (await import('./attempts.js')).addAttemptsCommand,
  workers: async () => (await import('./workers.js')).addWorkersCommand,
  show: async () => (await import('./show.js')).addShowCommand,
  pause: async () => (await import('./pause.js')).addPauseCommands,
  resume: async () => (await import('./pause.js')).addPauseCommands,
  weight: async () => (await import('./weight.js')).addWeightCommand,
  priority: async () => (await import('./priority.js')).addPriorityCommand,
  retry: async () => (await import('./retry.js')).addRetryCommand,
  fail: async () => (await import('./fail.js')).addFailCommand,
  cancel: async () => (await import('./cancel.js')).addCancelCommand,
  delete: async () => (await import('./delete.js')).addDeleteCommand,
  clear: async () => (await import('./clear.js')).addClearCommand,
  failed: async () => (await import('./failed.js')).addFailedCommand,
  export: async () => (await import('./export.js')).addExportCommand,
  import: async () => (await import('./import.js')).addImportCommand,
  doctor: async () => (await import('./doctor.js')).addDoctorCommand,
  top: async () => (await import('./top.js')).addTopCommand,
  bench: async () => (await import('./bench.js')).addBenchCommand,
  completion: async () => (await import('./completion.js')).addCompletionCommand,
};

/** The program with the command that the arguments name, or with all: most of the time that a short command takes goes into loading code. */
export async function buildProgram(args: readonly string[], io: CommandIo): Promise<Command> {
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
  const [name = ''] = args;
  const asked = Object.entries(commands).filter(([command]) => command === name || !isAlone(name));
  // One function may add several of them.
  for (const add of new Set(await Promise.all(asked.map(([, load]) => load())))) add(program, io);
  return program;
}

/** Whether no other command need be known to do this; completion lists them all. */
function isAlone(name: string): boolean {
  return name === '--version' || (Object.hasOwn(commands, name) && name !== 'completion');
}
