import type { Command } from 'commander';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../core/work-spec/work-unit-query.js';
import { workUnitStatuses, type WorkUnitStatus } from '../core/work-unit/work-unit-status.js';
import { someOf } from './argument-values.js';
import { countOf } from './count-text.js';
import type { CommonOptions } from './settings.js';
import { shownName, unitNameOf } from './shown-name.js';
import { unitPages } from './unit-pages.js';
import { UsageError } from './usage-error.js';

/** The options that say which units of a work spec are meant. */
export interface SelectionOptions extends CommonOptions {
  readonly status?: readonly WorkUnitStatus[];
  readonly all: boolean;
}

/** Units, in words and as a query. */
export interface Selection {
  readonly query: WorkUnitQuery;
  readonly count: number;
  /** `3 failed work units of thumbnails` */
  readonly text: string;
}

export function addSelectionArguments(command: Command): Command {
  return command.argument('<spec>', 'the work spec').argument('[units...]', 'names of units');
}

export function addSelectionOptions(command: Command, statuses: readonly WorkUnitStatus[]): Command {
  const usual = statuses.length === workUnitStatuses.length ? 'any' : statuses.join(', ');
  return command
    .option('--status <statuses>', `those of these statuses (default: ${usual})`, someOf(workUnitStatuses))
    .option('--all', 'all of them, without naming them', false);
}

/**
 * Counts the units that are meant: those named, or those of a status, or --all; by default of such statuses as the command can do something
 * about. Raises UsageError if none of it is given.
 */
export async function selectUnits(
  spec: WorkSpec,
  names: readonly string[],
  { status, all }: SelectionOptions,
  usual: readonly WorkUnitStatus[],
): Promise<Selection> {
  if (names.length === 0 && status === undefined && !all) throw new UsageError('name the units, or say which with --status, or --all');
  if (names.length > 0 && all) throw new UsageError('name units or give --all, not both');
  const statuses = status ?? usual;
  const isAny = statuses.length === workUnitStatuses.length;
  const query: WorkUnitQuery = { ...(!isAny && { statuses }), ...(names.length > 0 && { names: names.map(unitNameOf) }) };
  const count = names.length > 0 ? await countNamed(spec, query) : await countByStatus(spec, statuses);
  const which = isAny ? 'work unit' : `${statuses.join(' or ')} work unit`;
  return { query, count, text: `${countOf(count, which)} of ${shownName(spec.name)}` };
}

async function countNamed(spec: WorkSpec, query: WorkUnitQuery): Promise<number> {
  let count = 0;
  for await (const units of unitPages(spec, query)) count += units.length;
  return count;
}

async function countByStatus(spec: WorkSpec, statuses: readonly WorkUnitStatus[]): Promise<number> {
  const counts = await spec.countWorkUnitStatus();
  return statuses.reduce((sum, status) => sum + (counts[status] ?? 0), 0);
}
