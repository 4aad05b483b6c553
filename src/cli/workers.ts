import type { Command } from 'commander';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkerState } from '../core/worker/worker.js';
import type { CommandIo } from './command-io.js';
import { addListingOptions, Listing, pageSize, type Field, type ListingOptions } from './listing.js';
import { openNamespace } from './open-namespace.js';
import { addNamespaceOptions } from './settings.js';
import { readEach } from './several.js';

interface WorkersOptions extends ListingOptions {
  readonly active: boolean;
  readonly data: boolean;
}

type WorkerRow = WorkerState & { readonly name: string };

const fields: readonly Field<WorkerRow>[] = [
  { title: 'name', value: ({ name }) => name },
  { title: 'active', value: ({ active }) => active },
  { title: 'mode', value: ({ mode }) => (mode === '' ? null : mode) },
  { title: 'parent', value: ({ parent }) => parent },
  { title: 'last update', value: ({ lastUpdate }) => lastUpdate },
  { title: 'expiration', value: ({ expiration }) => expiration },
];
const dataField: Field<WorkerRow> = { title: 'data', value: ({ data }) => data };

export function addWorkersCommand(program: Command, io: CommandIo): void {
  const command = program.command('workers').description('list the workers of a namespace, by name');
  addListingOptions(addNamespaceOptions(command), 'name')
    .option('--active', 'only those that have not been deactivated', false)
    .option('--data', 'with what they say about themselves', false)
    .action(async (options: WorkersOptions) => {
      const shown = options.data ? [...fields, dataField] : fields;
      const listing = new Listing(shown, options, { io, nothing: 'There are no such workers.' });
      await using open = await openNamespace(options, io);
      await listWorkers(open.namespace, options, listing);
    });
}

async function listWorkers(namespace: Namespace, { after, all, limit, active }: WorkersOptions, listing: Listing<WorkerRow>): Promise<void> {
  // Names are compared bytewise: the next one possible is the same with a zero byte behind it.
  let start = after === undefined ? '' : `${after}\0`;
  let last: string | null = null;
  for (let left = all ? Number.POSITIVE_INFINITY : limit; left > 0; ) {
    const size = Math.min(left, pageSize);
    const workers = await namespace.workers({ start, limit: size, activeOnly: active });
    await listing.page(await readEach(workers, async (worker): Promise<WorkerRow> => ({ name: worker.name, ...(await worker.read()) })));
    last = workers.at(-1)?.name ?? last;
    if (workers.length < size) {
      last = null;
      break;
    }
    left -= workers.length;
    start = `${last}\0`;
  }
  await listing.end(last);
}
