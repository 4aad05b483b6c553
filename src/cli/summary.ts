import type { Command } from 'commander';
import { connect } from '../core/connect.js';
import type { Summary } from '../core/summary/summary.js';
import { workUnitStatuses } from '../core/work-unit/work-unit-status.js';
import { addDatabaseOptions, type DatabaseOptions } from './database-options.js';

interface SummaryOptions extends DatabaseOptions {
  readonly namespace?: string;
  readonly json: boolean;
}

export function addSummaryCommand(program: Command): void {
  const command = program.command('summary').description('count the work units by namespace, work spec and status');
  addDatabaseOptions(command)
    .option('--namespace <name>', 'only of this namespace')
    .option('--json', 'print JSON: {namespace, workSpec, status, count} for each', false)
    .action(async ({ database, schema, buckets, namespace, json }: SummaryOptions) => {
      await using coordinate = await connect(database, { schema, buckets, pool: { max: 1 } });
      const all = await coordinate.summarize();
      const summary = namespace === undefined ? all : all.filter((row) => row.namespace === namespace);
      console.log(json ? JSON.stringify(summary, null, 2) : tableOf(summary));
    });
}

/** A line for each work spec that has units. */
function tableOf(summary: Summary): string {
  if (summary.length === 0) return 'There are no work units.';
  const specs = new Map<string, Record<string, string>>();
  for (const { namespace, workSpec, status, count } of summary) {
    const key = JSON.stringify([namespace, workSpec]);
    specs.set(key, {
      ...(specs.get(key) ?? { namespace: nameText(namespace), 'work spec': nameText(workSpec) }),
      [status]: String(count),
    });
  }
  const columns = ['namespace', 'work spec', ...workUnitStatuses].map((name, index) => {
    const cells = [name, ...[...specs.values()].map((spec) => spec[name] ?? '0')];
    const width = Math.max(...cells.map((cell) => cell.length));
    return cells.map((cell) => (index < 2 ? cell.padEnd(width) : cell.padStart(width)));
  });
  return Array.from({ length: specs.size + 1 }, (_, row) => columns.map((cells) => cells[row]).join('  ')).join('\n');
}

/** Quoted when it would not be seen, or could be taken for something else, or would do something to the terminal. */
function nameText(name: string): string {
  return /^[\p{L}\p{N}\p{P}\p{S}]+$/u.test(name) && !name.startsWith('"') ? name : JSON.stringify(name);
}
