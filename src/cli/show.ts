import type { Command } from 'commander';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
import { attemptFields } from './attempts.js';
import type { CommandIo } from './command-io.js';
import { Listing } from './listing.js';
import { findWorkSpec, findWorkUnit, openNamespace } from './open-namespace.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName, unitNameText } from './shown-name.js';
import { jsonValue, valueBlock } from './value-text.js';

interface ShowOptions extends CommonOptions {
  readonly json: boolean;
}

export function addShowCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('show')
    .description('show a work unit: its data, its history, and why it is not running; or a work spec')
    .argument('<spec>', 'the work spec')
    .argument('[unit]', 'the work unit');
  addNamespaceOptions(command)
    .option('--json', 'print JSON', false)
    .action(async (specName: string, unitName: string | undefined, options: ShowOptions) => {
      await using open = await openNamespace(options, io);
      const spec = await findWorkSpec(open.namespace, specName);
      if (unitName === undefined) await showSpec(spec, options, io);
      else await showUnit(await findWorkUnit(spec, unitName), options, io);
    });
}

async function showSpec(spec: WorkSpec, { json }: ShowOptions, { stdout }: CommandIo): Promise<void> {
  const [data, meta, counts] = [await spec.data(), await spec.meta({ counts: true }), await spec.countWorkUnitStatus()];
  if (json) {
    await stdout.line(JSON.stringify({ name: spec.name, data: jsonValue(data), meta, units: counts }, null, 2));
    return;
  }
  const state = meta.paused ? 'paused' : 'not paused';
  const units = Object.entries(counts).map(([status, count]) => `${count} ${status}`);
  await stdout.line(`${shownName(spec.name)}: ${state}, priority ${meta.priority}, weight ${meta.weight}`);
  await stdout.line(`units: ${units.length === 0 ? 'none' : units.join(', ')}`);
  await stdout.line(`definition: ${valueBlock(data)}`);
  await stdout.line(`meta: ${JSON.stringify(meta, null, 2)}`);
}

async function showUnit(unit: WorkUnit, options: ShowOptions, io: CommandIo): Promise<void> {
  const { stdout } = io;
  const [data, meta, attempts, explanation] = [await unit.data(), await unit.meta(), await unit.attempts(), await unit.explain()];
  if (options.json) {
    const history = attempts.map(({ number, status, worker, startTime, endTime, expirationTime, data: own }) => {
      return { number, status, worker: worker.name, startTime, endTime, expirationTime, data: jsonValue(own) };
    });
    const { status, text, reasons } = explanation;
    const shown = { workSpec: unit.workSpec.name, name: unitNameText(unit.key), meta, data: jsonValue(data), status, text, reasons, attempts: history };
    await stdout.line(JSON.stringify(shown, null, 2));
    return;
  }
  await stdout.line(`${shownName(unit.workSpec.name)} ${shownName(unitNameText(unit.key))}: ${explanation.status}`);
  await stdout.line(explanation.text);
  await stdout.line(`priority: ${meta.priority}`);
  if (meta.notBefore !== null) await stdout.line(`not before: ${meta.notBefore.toISOString()}`);
  await stdout.line(`data: ${valueBlock(data)}`);
  const dataField = { title: 'data', value: (attempt: (typeof attempts)[number]) => attempt.data };
  const fields = [...attemptFields.filter(({ title }) => title !== 'expiration time'), dataField];
  const listing = new Listing(fields, { json: false, csv: false, limit: 0, all: true }, { io, nothing: 'attempts: none' });
  if (attempts.length > 0) await stdout.line('attempts:');
  await listing.page(attempts);
  await listing.end();
}
