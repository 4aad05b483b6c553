import type { Command } from 'commander';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnitStatus } from '../core/work-unit/work-unit-status.js';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
import type { CommandIo } from './command-io.js';
import { confirm } from './confirm.js';
import { countOf } from './count-text.js';
import { InterruptedError } from './interrupted-error.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { Progress } from './progress.js';
import { addNamespaceOptions } from './settings.js';
import { unitPages } from './unit-pages.js';
import { addSelectionArguments, addSelectionOptions, selectUnits, type Selection, type SelectionOptions } from './unit-selection.js';

export interface ChangeOptions extends SelectionOptions {
  readonly yes: boolean;
}

/** What a command does to many units, once they have been counted and somebody has said yes. */
export interface UnitChange<Options extends ChangeOptions> {
  /** The units that it is about if no --status is given. */
  readonly statuses: readonly WorkUnitStatus[];
  /** `makes`, as in `retry makes 3 failed work units of thumbnails available again`. */
  readonly verb: readonly [before: string, after: string];
  /** `made available again`, as in `3 units made available again.` */
  readonly done: string;
  /** Does it to what is selected; resolves to how many units it was done to. */
  readonly run: (job: ChangeJob<Options>) => Promise<number>;
}

export interface ChangeJob<Options> {
  readonly namespace: Namespace;
  readonly spec: WorkSpec;
  readonly selection: Selection;
  readonly options: Options;
  readonly io: CommandIo;
  readonly progress: Progress;
}

/** Gives a command its arguments, options, count, question and progress bar; what it does is the change's. */
export function addChangeAction<Options extends ChangeOptions>(command: Command, change: UnitChange<Options>, io: CommandIo): void {
  addSelectionOptions(addNamespaceOptions(addSelectionArguments(command)), change.statuses)
    .option('--yes', 'do not ask', false)
    .action((spec: string, units: string[], options: Options) => changeUnits(command.name(), spec, units, { change, options, io }));
}

async function changeUnits<Options extends ChangeOptions>(
  name: string,
  specName: string,
  names: readonly string[],
  { change, options, io }: { readonly change: UnitChange<Options>; readonly options: Options; readonly io: CommandIo },
): Promise<void> {
  await using open = await openNamespace(options, io);
  const spec = await findWorkSpec(open.namespace, specName);
  const selection = await selectUnits(spec, names, options, change.statuses);
  if (selection.count === 0) {
    await io.stdout.line(`There are no such work units: ${selection.text}.`);
    return;
  }
  const [before, after] = change.verb;
  await confirm(`${name} ${before} ${selection.text}${after === '' ? '' : ` ${after}`}`, options, io);
  const progress = new Progress('units', { total: selection.count, output: io.stderr });
  let done = 0;
  try {
    done = await change.run({ namespace: open.namespace, spec, selection, options, io, progress });
  } catch (error) {
    progress.close();
    if (error instanceof InterruptedError) await io.stderr.line('Some of the units are changed, each of them wholly; the same command goes on.');
    throw error;
  }
  progress.close();
  await io.stdout.line(`${countOf(done, 'unit')} ${change.done}.`);
}

/** How many units are changed at the same time. */
const atOnce = 50;

/** Does something to each unit of a selection; resolves to how many it was done to: those for which it resolved to true. */
export async function forEachUnit(
  { spec, selection, io, progress }: ChangeJob<unknown>,
  change: (unit: WorkUnit) => Promise<boolean>,
): Promise<number> {
  let done = 0;
  for await (const units of unitPages(spec, selection.query)) {
    for (let from = 0; from < units.length; from += atOnce) {
      io.signal.throwIfAborted();
      const changed = await Promise.all(units.slice(from, from + atOnce).map(change));
      done += changed.filter(Boolean).length;
      progress.advance(changed.length);
    }
  }
  return done;
}
