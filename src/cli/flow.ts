import type { Command } from 'commander';
import type { DataDictionary } from '../codec/index.js';
import type { Coordinate } from '../core/coordinate.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { CommandIo } from './command-io.js';
import { confirm } from './confirm.js';
import { connectTarget } from './connect-target.js';
import { countOf } from './count-text.js';
import { readFlowFile, type FlowSpec } from './flow-file.js';
import { flowWarnings, planFlow, type FlowStep } from './flow-plan.js';
import { FoundError } from './found-error.js';
import { addNamespaceOptions, readSettings, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { jsonValue, valueText } from './value-text.js';

interface FlowOptions extends CommonOptions {
  readonly dryRun: boolean;
  readonly prune: boolean;
  readonly json: boolean;
  readonly yes: boolean;
}

const help = `
FILE is YAML or JSON: a list of definitions with a name each, or a map from names to definitions; either may stand under the key flows.
Running it again changes nothing. A definition that changes sets priority, weight and whether the work spec is paused anew.`;

export function addFlowCommand(program: Command, io: CommandIo): void {
  const command = program.command('flow').argument('<file>', 'a file of work specs; - is standard input');
  addNamespaceOptions(command.description('make the work specs of a file: create what is new, redefine what has changed'))
    .option('--dry-run', 'only say what would change; exit code 3 if anything would', false)
    .option('--prune', 'remove work specs that are not in the file, with their units', false)
    .option('--yes', 'do not ask before removing units', false)
    .option('--json', 'print the steps as JSON', false)
    .addHelpText('after', help)
    .action((file: string, options: FlowOptions) => flow(file, options, io));
}

async function flow(file: string, options: FlowOptions, io: CommandIo): Promise<void> {
  const { dryRun, prune, json } = options;
  const wanted = await readFlowFile(file, io);
  const settings = await readSettings(options, io);
  await using coordinate = await connectTarget(settings, io);
  const name = settings.namespace ?? '';
  const namespace = (await coordinate.namespaces()).find((one) => one.name === name);
  const current = namespace === undefined ? new Map<string, DataDictionary>() : await definitionsIn(namespace);
  for (const warning of flowWarnings(wanted, current)) await io.stderr.line(`warning: ${warning}`);
  const steps = planFlow(wanted, current, prune);
  const units = namespace === undefined ? new Map<string, number>() : await unitCounts(namespace);
  const lost = steps.filter(({ kind }) => kind === 'remove').reduce((sum, step) => sum + (units.get(step.name) ?? 0), 0);
  if (!dryRun) {
    if (lost > 0) await confirm(`removing the work specs that are not in ${file} removes ${countOf(lost, 'work unit')}`, options, io);
    await applySteps(steps, wanted, await namespaceToChange(coordinate, namespace, name));
  }
  const text = json ? JSON.stringify(steps.map(jsonStep), null, 2) : stepsText(steps, units, dryRun, io);
  await io.stdout.line(text);
  if (dryRun && steps.some(({ kind }) => kind !== 'keep')) throw new FoundError();
}

async function namespaceToChange(coordinate: Coordinate, found: Namespace | undefined, name: string): Promise<Namespace> {
  return found ?? coordinate.namespace(name);
}

async function definitionsIn(namespace: Namespace): Promise<Map<string, DataDictionary>> {
  const definitions = new Map<string, DataDictionary>();
  for (const name of await namespace.workSpecNames()) definitions.set(name, await (await namespace.workSpec(name)).data());
  return definitions;
}

async function unitCounts(namespace: Namespace): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const { workSpec, count } of await namespace.summarize()) counts.set(workSpec, (counts.get(workSpec) ?? 0) + count);
  return counts;
}

/** Not interrupted by Ctrl-C: it takes but a moment, and half a flow is worse than either. */
async function applySteps(steps: readonly FlowStep[], wanted: readonly FlowSpec[], namespace: Namespace): Promise<void> {
  const definitions = new Map(wanted.map((spec) => [spec.name, spec]));
  for (const { name, kind } of steps) {
    const definition = definitions.get(name);
    if (kind === 'remove') await namespace.destroyWorkSpec(name);
    else if (kind !== 'keep' && definition !== undefined) await namespace.setWorkSpec(definition);
  }
}

function jsonStep({ name, kind, keys }: FlowStep): object {
  const changed = keys.map(({ key, from, to }) => ({ key, from: jsonValue(from), to: jsonValue(to) }));
  return { workSpec: name, step: kind, ...(kind === 'change' && { keys: changed }) };
}

const marks = { create: '+', change: '~', keep: ' ', remove: '-' } as const;
const colours = { create: 'green', change: 'yellow', keep: 'dim', remove: 'red' } as const;

function stepsText(steps: readonly FlowStep[], units: ReadonlyMap<string, number>, dryRun: boolean, { stdout }: CommandIo): string {
  const lines = steps.map(({ name, kind, keys }) => {
    const changes = keys.map(({ key, from, to }) => `${key} ${valueText(from)} -> ${valueText(to)}`).join(', ');
    const removed = kind === 'remove' ? ` (${countOf(units.get(name) ?? 0, 'work unit')})` : '';
    return stdout.styled(colours[kind], `${marks[kind]} ${shownName(name)}${changes === '' ? '' : `: ${changes}`}${removed}`);
  });
  const count = (kind: FlowStep['kind']): number => steps.filter((step) => step.kind === kind).length;
  const verbs = { create: 'created', change: 'changed', remove: 'removed' } as const;
  const parts = (['create', 'change', 'remove'] as const).filter((kind) => count(kind) > 0).map((kind) => `${count(kind)} ${verbs[kind]}`);
  const unchanged = `${count('keep')} unchanged`;
  const total = parts.length === 0 ? unchanged : `${parts.join(', ')}, ${unchanged}`;
  return [...lines, `${dryRun ? 'Would be: ' : ''}${total}.`].join('\n');
}
