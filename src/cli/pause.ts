import type { Command } from 'commander';
import type { Namespace } from '../core/namespace/namespace.js';
import type { CommandIo } from './command-io.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { UsageError } from './usage-error.js';

interface PauseOptions extends CommonOptions {
  readonly all: boolean;
}

/** `pause` and `resume`, which are each other's inverse. */
export function addPauseCommands(program: Command, io: CommandIo): void {
  addPauseCommand(program, io, true);
  addPauseCommand(program, io, false);
}

function addPauseCommand(program: Command, io: CommandIo, paused: boolean): void {
  const [name, description] = paused
    ? ['pause', 'hand out no more units of work specs; what runs goes on']
    : ['resume', 'hand out units of paused work specs again'];
  addNamespaceOptions(program.command(name).description(description).argument('[specs...]', 'the work specs'))
    .option('--all', 'all work specs of the namespace', false)
    .action(async (names: string[], options: PauseOptions) => {
      if (names.length > 0 === options.all) throw new UsageError('name the work specs, or give --all');
      await using open = await openNamespace(options, io);
      await setPaused(open.namespace, options.all ? await open.namespace.workSpecNames() : names, { paused, io });
    });
}

/** All names are looked up before any of them is changed: a typo changes nothing. */
async function setPaused(namespace: Namespace, names: readonly string[], { paused, io }: { readonly paused: boolean; readonly io: CommandIo }): Promise<void> {
  const specs = [];
  for (const name of names) specs.push(await findWorkSpec(namespace, name));
  for (const spec of specs) {
    const before = await spec.meta();
    if (before.paused !== paused) await spec.setMeta({ paused });
    const state = paused ? 'paused' : 'running';
    await io.stdout.line(`${shownName(spec.name)} is ${before.paused === paused ? `${state} already` : state}.`);
  }
}
