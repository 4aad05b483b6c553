import type { Command } from 'commander';
import type { CommandIo } from './command-io.js';
import { confirm } from './confirm.js';
import { countOf } from './count-text.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';

interface ClearOptions extends CommonOptions {
  readonly yes: boolean;
}

export function addClearCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('clear')
    .description('remove a work spec with its units and their history, or all of a namespace')
    .argument('[spec]', 'the work spec; left out: the whole namespace');
  addNamespaceOptions(command)
    .option('--yes', 'do not ask', false)
    .action((spec: string | undefined, options: ClearOptions) => clear(spec, options, io));
}

async function clear(specName: string | undefined, options: ClearOptions, io: CommandIo): Promise<void> {
  await using open = await openNamespace(options, io);
  const { namespace } = open;
  if (specName !== undefined) {
    const spec = await findWorkSpec(namespace, specName);
    const units = sum((await spec.summarize()).map(({ count }) => count));
    await confirm(`clear removes the work spec ${shownName(specName)} and its ${countOf(units, 'work unit')}`, options, io);
    await namespace.destroyWorkSpec(specName);
    await io.stdout.line(`The work spec ${shownName(specName)} and its ${countOf(units, 'work unit')} are removed.`);
    return;
  }
  const specs = (await namespace.workSpecNames()).length;
  const units = sum((await namespace.summarize()).map(({ count }) => count));
  const what = `the namespace ${shownName(namespace.name)}: ${countOf(specs, 'work spec')}, ${countOf(units, 'work unit')}, its workers`;
  await confirm(`clear removes ${what}`, options, io);
  await namespace.destroy();
  await io.stdout.line(`Removed ${what}.`);
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
