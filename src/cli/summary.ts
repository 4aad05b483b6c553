import { setTimeout as pause } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Coordinate } from '../core/coordinate.js';
import type { Summary } from '../core/summary/summary.js';
import { workUnitStatuses } from '../core/work-unit/work-unit-status.js';
import { duration } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { connectTarget } from './connect-target.js';
import { Screen } from './screen.js';
import { addNamespaceOptions, readSettings, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { tableText } from './table.js';

interface SummaryOptions extends CommonOptions {
  readonly json: boolean;
  readonly watch?: number | true;
}

const defaultPeriodMs = 2_000;

export function addSummaryCommand(program: Command, io: CommandIo): void {
  const command = program.command('summary').description('count the work units by namespace, work spec and status');
  addNamespaceOptions(command)
    .option('--json', 'print JSON: {namespace, workSpec, status, count} for each', false)
    .option('--watch [period]', 'again and again, every two seconds or so often (such as 10s), until Ctrl-C', duration)
    .action(async (options: SummaryOptions) => {
      const settings = await readSettings(options, io);
      await using coordinate = await connectTarget(settings, io, { connections: 1 });
      const text = async (): Promise<string> => {
        const summary = await summaryOf(coordinate, settings.namespace);
        return options.json ? JSON.stringify(summary, null, 2) : summaryTable(summary);
      };
      if (options.watch === undefined) await io.stdout.line(await text());
      else await watch(text, options.watch === true ? defaultPeriodMs : options.watch, io);
    });
}

async function summaryOf(coordinate: Coordinate, namespace: string | undefined): Promise<Summary> {
  const all = await coordinate.summarize();
  return namespace === undefined ? all : all.filter((row) => row.namespace === namespace);
}

async function watch(text: () => Promise<string>, periodMs: number, io: CommandIo): Promise<void> {
  const screen = new Screen(io.stdout);
  try {
    for (;;) {
      await screen.draw(await text());
      await pause(periodMs, undefined, { signal: io.signal });
    }
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!io.signal.aborted) throw error;
  } finally {
    await screen.close();
  }
}

/** A line for each work spec that has units. */
function summaryTable(summary: Summary): string {
  if (summary.length === 0) return 'There are no work units.';
  const specs = new Map<string, { readonly names: readonly string[]; readonly counts: Map<string, number> }>();
  for (const { namespace, workSpec, status, count } of summary) {
    const key = JSON.stringify([namespace, workSpec]);
    const spec = specs.get(key) ?? { names: [shownName(namespace), shownName(workSpec)], counts: new Map<string, number>() };
    spec.counts.set(status, count);
    specs.set(key, spec);
  }
  const columns = [{ title: 'namespace' }, { title: 'work spec' }, ...workUnitStatuses.map((title) => ({ title, right: true }))];
  const rows = [...specs.values()].map(({ names, counts }) => [
    ...names,
    ...workUnitStatuses.map((status) => String(counts.get(status) ?? 0)),
  ]);
  return tableText(columns, rows);
}
