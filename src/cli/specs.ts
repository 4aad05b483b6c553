import type { Command } from 'commander';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpecMeta } from '../core/work-spec/work-spec-meta.js';
import { workUnitStatuses, type WorkUnitStatus } from '../core/work-unit/work-unit-status.js';
import type { CommandIo } from './command-io.js';
import { addListingOptions, Listing, pageSize, type Field, type ListingOptions } from './listing.js';
import { openNamespace } from './open-namespace.js';
import { addNamespaceOptions } from './settings.js';
import { readEach } from './several.js';

interface SpecsOptions extends ListingOptions {
  readonly paused: boolean;
}

interface SpecRow {
  readonly name: string;
  readonly meta: WorkSpecMeta;
  readonly counts: Partial<Record<WorkUnitStatus, number>>;
}

const fields: readonly Field<SpecRow>[] = [
  { title: 'name', value: ({ name }) => name },
  { title: 'paused', value: ({ meta }) => meta.paused },
  { title: 'priority', right: true, value: ({ meta }) => meta.priority },
  { title: 'weight', right: true, value: ({ meta }) => meta.weight },
  { title: 'max running', right: true, value: ({ meta }) => (meta.maxRunning === 0 ? null : meta.maxRunning) },
  { title: 'then', value: ({ meta }) => (meta.nextWorkSpecName === '' ? null : meta.nextWorkSpecName) },
  ...workUnitStatuses.map((status): Field<SpecRow> => ({ title: status, right: true, value: ({ counts }) => counts[status] ?? 0 })),
];

export function addSpecsCommand(program: Command, io: CommandIo): void {
  const command = program.command('specs').description('list the work specs of a namespace, and how many units of which status they have');
  addListingOptions(addNamespaceOptions(command), 'name')
    .option('--paused', 'only those that are paused', false)
    .action(async (options: SpecsOptions) => {
      const listing = new Listing(fields, options, { io, nothing: 'There are no work specs.' });
      await using open = await openNamespace(options, io);
      await listSpecs(open.namespace, options, listing);
    });
}

async function listSpecs(namespace: Namespace, { all, limit, after, paused }: SpecsOptions, listing: Listing<SpecRow>): Promise<void> {
  const counts = await countsIn(namespace);
  const names = (await namespace.workSpecNames()).filter((name) => after === undefined || Buffer.compare(Buffer.from(name), Buffer.from(after)) > 0);
  let left = all ? Number.POSITIVE_INFINITY : limit;
  for (let from = 0; from < names.length; from += pageSize) {
    const rows = await readEach(names.slice(from, from + pageSize), async (name): Promise<SpecRow> => {
      const meta = await (await namespace.workSpec(name)).meta();
      return { name, meta, counts: counts.get(name) ?? {} };
    });
    const wanted = rows.filter(({ meta }) => !paused || meta.paused);
    const shown = wanted.slice(0, left);
    await listing.page(shown);
    left -= shown.length;
    if (left > 0) continue;
    const isMore = wanted.length > shown.length || from + pageSize < names.length;
    await listing.end(isMore ? (shown.at(-1)?.name ?? null) : null);
    return;
  }
  await listing.end();
}

async function countsIn(namespace: Namespace): Promise<Map<string, Partial<Record<WorkUnitStatus, number>>>> {
  const counts = new Map<string, Partial<Record<WorkUnitStatus, number>>>();
  for (const { workSpec, status, count } of await namespace.summarize()) counts.set(workSpec, { ...counts.get(workSpec), [status]: count });
  return counts;
}
