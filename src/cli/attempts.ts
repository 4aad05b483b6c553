import type { Command } from 'commander';
import { attemptStatuses, type AttemptStatus } from '../core/attempt/attempt-status.js';
import type { Attempt } from '../core/attempt/attempt.js';
import type { Namespace } from '../core/namespace/namespace.js';
import { InvalidArgumentError } from '../errors/index.js';
import { someOf } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { findWorker } from './find-worker.js';
import { addListingOptions, Listing, pageSize, type Field, type ListingOptions } from './listing.js';
import { findWorkSpec, findWorkUnit, openNamespace } from './open-namespace.js';
import { addNamespaceOptions } from './settings.js';
import { unitNameText } from './shown-name.js';
import { UsageError } from './usage-error.js';

interface AttemptsOptions extends ListingOptions {
  readonly worker?: string;
  readonly status?: readonly AttemptStatus[];
  readonly data: boolean;
}

export const attemptFields: readonly Field<Attempt>[] = [
  { title: 'number', right: true, value: ({ number }) => number },
  { title: 'status', value: ({ status }) => status },
  { title: 'worker', value: ({ worker }) => worker.name },
  { title: 'start time', value: ({ startTime }) => startTime },
  { title: 'end time', value: ({ endTime }) => endTime },
  { title: 'expiration time', value: ({ expirationTime }) => expirationTime },
];

const unitFields: readonly Field<Attempt>[] = [
  { title: 'work spec', value: ({ workUnit }) => workUnit.workSpec.name },
  { title: 'unit', value: ({ workUnit }) => unitNameText(workUnit.key) },
];

const dataField: Field<Attempt> = { title: 'data', value: ({ data }) => data };

export function addAttemptsCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('attempts')
    .description('list the attempts at a work unit, or those of a worker (--worker), oldest first')
    .argument('[spec]', 'the work spec')
    .argument('[unit]', 'the work unit');
  addListingOptions(addNamespaceOptions(command), 'number')
    .option('--worker <name>', 'those of this worker')
    .option('--status <statuses>', `only those of these: ${attemptStatuses.join(', ')}`, someOf(attemptStatuses))
    .option('--data', 'with their data', false)
    .action((spec: string | undefined, unit: string | undefined, options: AttemptsOptions) => listAttempts(spec, unit, options, io));
}

async function listAttempts(spec: string | undefined, unit: string | undefined, options: AttemptsOptions, io: CommandIo): Promise<void> {
  const { worker, data, status, all, limit } = options;
  if (worker === undefined ? unit === undefined : spec !== undefined) {
    throw new UsageError('name a work spec and a unit of it, or a worker with --worker');
  }
  const after = numberAfter(options.after);
  const fields = [...(worker === undefined ? [] : unitFields), ...attemptFields, ...(data ? [dataField] : [])];
  const listing = new Listing(fields, options, { io, nothing: 'There are no such attempts.' });
  await using open = await openNamespace(options, io);
  const pages = worker === undefined ? ofUnit(open.namespace, spec ?? '', unit ?? '', after) : ofWorker(open.namespace, worker, after);
  let left = all ? Number.POSITIVE_INFINITY : limit;
  for await (const attempts of pages) {
    const wanted = attempts.filter((attempt) => status === undefined || status.includes(attempt.status));
    await listing.page(wanted.slice(0, left));
    if (wanted.length > left) {
      await listing.end(String(wanted[left - 1]?.number ?? after));
      return;
    }
    left -= wanted.length;
  }
  await listing.end();
}

async function* ofUnit(namespace: Namespace, specName: string, unitName: string, after: number): AsyncGenerator<Attempt[]> {
  const unit = await findWorkUnit(await findWorkSpec(namespace, specName), unitName);
  yield (await unit.attempts()).filter(({ number }) => number > after);
}

async function* ofWorker(namespace: Namespace, name: string, from: number): AsyncGenerator<Attempt[]> {
  const worker = await findWorker(namespace, name);
  for (let after = from; ; ) {
    const attempts = await worker.allAttempts({ after, limit: pageSize });
    yield attempts;
    if (attempts.length < pageSize) return;
    after = attempts.at(-1)?.number ?? after;
  }
}

function numberAfter(text: string | undefined): number {
  if (text === undefined) return 0;
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError('--after', `must be the number of an attempt, not ${text}`);
}
