import type { Command } from 'commander';
import type { DataDictionary } from '../codec/index.js';
import type { WorkUnitQuery } from '../core/work-spec/work-unit-query.js';
import { workUnitStatuses, type WorkUnitStatus } from '../core/work-unit/work-unit-status.js';
import type { WorkUnitReading } from '../core/work-unit/work-unit-page.js';
import { workUnitPages } from '../core/work-unit/work-unit-pages.js';
import { someOf } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { addListingOptions, Listing, type Field, type ListingOptions } from './listing.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { addNamespaceOptions } from './settings.js';
import { unitNameOf, unitNameText } from './shown-name.js';

interface UnitsOptions extends ListingOptions {
  readonly status?: readonly WorkUnitStatus[];
  readonly data: boolean;
}

type UnitRow = WorkUnitReading & { readonly data?: DataDictionary };

const fields: readonly Field<UnitRow>[] = [
  { title: 'name', value: ({ workUnit }) => unitNameText(workUnit.key) },
  { title: 'status', value: ({ status }) => status },
  { title: 'priority', right: true, value: ({ meta }) => meta.priority },
  { title: 'not before', value: ({ meta }) => meta.notBefore },
];
const dataField: Field<UnitRow> = { title: 'data', value: ({ data }) => data };

export function addUnitsCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('units')
    .description('list the work units of a work spec, by name')
    .argument('<spec>', 'the work spec')
    .argument('[units...]', 'only those of these names');
  addListingOptions(addNamespaceOptions(command), 'name')
    .option('--status <statuses>', `only those of these: ${workUnitStatuses.join(', ')}`, someOf(workUnitStatuses))
    .option('--data', 'with their data', false)
    .action((spec: string, names: string[], options: UnitsOptions) => listUnits(spec, names, options, io));
}

async function listUnits(specName: string, names: readonly string[], options: UnitsOptions, io: CommandIo): Promise<void> {
  const { status, data, after, all, limit } = options;
  const listing = new Listing(data ? [...fields, dataField] : fields, options, { io, nothing: 'There are no such work units.' });
  await using open = await openNamespace(options, io);
  const spec = await findWorkSpec(open.namespace, specName);
  const query: WorkUnitQuery = {
    ...(names.length > 0 && { names: names.map(unitNameOf) }),
    ...(status !== undefined && { statuses: status }),
    ...(after !== undefined && { previousName: unitNameOf(after) }),
    ...(!all && { limit }),
  };
  let [read, last]: [number, string | null] = [0, null];
  for await (const units of workUnitPages(spec, query, data ? ['data'] : [])) {
    await listing.page(units);
    read += units.length;
    last = unitNameText(units.at(-1)?.workUnit.key ?? Buffer.alloc(0));
  }
  await listing.end(read === query.limit ? last : null);
}
