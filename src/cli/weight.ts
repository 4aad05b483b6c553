import type { Command } from 'commander';
import { wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';

export function addWeightCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('weight')
    .description('set the share of a work spec among those of the same priority; 0: it is never chosen')
    .argument('<spec>', 'the work spec')
    .argument('<weight>', 'a whole number; 20 is usual', wholeNumber(0, 1_000_000));
  addNamespaceOptions(command).action(async (name: string, weight: number, options: CommonOptions) => {
    await using open = await openNamespace(options, io);
    const spec = await findWorkSpec(open.namespace, name);
    const before = (await spec.meta()).weight;
    await spec.setMeta({ weight });
    await io.stdout.line(`The weight of ${shownName(name)} is ${weight}; it was ${before}.`);
  });
}
