import type { Command } from 'commander';
import { workUnitStatuses } from '../core/work-unit/work-unit-status.js';
import { anyNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { addNamespaceOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { addSelectionOptions, selectUnits, type SelectionOptions } from './unit-selection.js';

interface PriorityOptions extends SelectionOptions {
  readonly by: boolean;
}

const help = `
Without units, --status and --all it is the priority of the work spec: work specs of higher priority are served first. With any of them it is that of
units: those of higher priority are handed out first.`;

export function addPriorityCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('priority')
    .description('set the priority of a work spec, or of units of it')
    .argument('<spec>', 'the work spec')
    .argument('<priority>', 'a number; 0 is usual, higher comes first', anyNumber)
    .argument('[units...]', 'names of units');
  addSelectionOptions(addNamespaceOptions(command), workUnitStatuses)
    .option('--by', 'add the number to the priorities that there are', false)
    .addHelpText('after', help)
    .action((spec: string, priority: number, units: string[], options: PriorityOptions) => setPriority(spec, priority, units, { options, io }));
}

async function setPriority(
  name: string,
  priority: number,
  units: readonly string[],
  { options, io }: { readonly options: PriorityOptions; readonly io: CommandIo },
): Promise<void> {
  await using open = await openNamespace(options, io);
  const spec = await findWorkSpec(open.namespace, name);
  if (units.length === 0 && options.status === undefined && !options.all) {
    const before = (await spec.meta()).priority;
    const after = options.by ? before + priority : priority;
    await spec.setMeta({ priority: after });
    await io.stdout.line(`The priority of ${shownName(name)} is ${after}; it was ${before}.`);
    return;
  }
  const { query, text } = await selectUnits(spec, units, options, workUnitStatuses);
  if (options.by) await spec.adjustWorkUnitPriorities(query, priority);
  else await spec.setWorkUnitPriorities(query, priority);
  await io.stdout.line(`The priority of ${text} is ${options.by ? `changed by ${priority}` : priority}.`);
}
