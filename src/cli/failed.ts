import type { Command } from 'commander';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import { workUnitPages } from '../core/work-unit/work-unit-pages.js';
import { wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { countOf } from './count-text.js';
import { ErrorGroups, type ErrorGroup } from './error-groups.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName, unitNameText } from './shown-name.js';
import { jsonValue, valueBlock } from './value-text.js';

interface FailedOptions extends CommonOptions {
  readonly limit: number;
  readonly json: boolean;
}

const defaultLimit = 10_000;

export function addFailedCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('failed')
    .description('group the units that have failed by their error, with one full example of each')
    .argument('[spec]', 'the work spec; left out: all of the namespace');
  addNamespaceOptions(command)
    .option('--limit <number>', 'look at so many units of a work spec at most', wholeNumber(1), defaultLimit)
    .option('--json', 'print JSON', false)
    .action((spec: string | undefined, options: FailedOptions) => showFailed(spec, options, io));
}

async function showFailed(specName: string | undefined, { json, limit, ...options }: FailedOptions, io: CommandIo): Promise<void> {
  await using open = await openNamespace(options, io);
  const { namespace } = open;
  const failing = (await namespace.summarize()).filter(({ status }) => status === 'failed').map(({ workSpec }) => workSpec);
  const specs = [];
  for (const name of specName === undefined ? failing : [specName]) specs.push(await findWorkSpec(namespace, name));
  const groups = new ErrorGroups();
  for (const spec of specs) await readFailed(spec, limit, { groups, io });
  if (json) {
    const listed = groups.list().map(({ example, ...group }) => ({ ...group, example: { ...example, data: jsonValue(example.data) } }));
    await io.stdout.line(JSON.stringify(listed, null, 2));
    return;
  }
  if (groups.list().length === 0) await io.stdout.line('No work units have failed.');
  for (const group of groups.list()) await showGroup(group, io);
}

async function readFailed(spec: WorkSpec, limit: number, { groups, io }: { readonly groups: ErrorGroups; readonly io: CommandIo }): Promise<void> {
  let read = 0;
  for await (const units of workUnitPages(spec, { statuses: ['failed'], limit }, ['data'])) {
    io.signal.throwIfAborted();
    for (const { workUnit, data } of units) groups.add({ workSpec: spec.name, unit: unitNameText(workUnit.key), data });
    read += units.length;
  }
  if (read === limit) await io.stderr.line(`${shownName(spec.name)}: only the first ${countOf(limit, 'failed unit')} are looked at; --limit says how many.`);
}

async function showGroup({ error, count, example }: ErrorGroup, { stdout }: CommandIo): Promise<void> {
  await stdout.line(stdout.styled('bold', `${countOf(count, 'unit')}: ${printable(error)}`));
  await stdout.line(`such as ${shownName(example.workSpec)} ${shownName(example.unit)}, with the data ${valueBlock(example.data)}`);
  const { error: told } = example.data as { readonly error?: { readonly stack?: unknown } | null };
  if (typeof told?.stack === 'string') await stdout.line(printable(told.stack, true));
  await stdout.line('');
}

/** Messages come from anywhere: what would do something to the terminal is left out. */
function printable(text: string, keepLines = false): string {
  return text.replaceAll(keepLines ? /(?!\n)\p{Cc}/gu : /\p{Cc}/gu, ' ');
}
