import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { InvalidArgumentError, type Command } from 'commander';
import type { DataDictionary } from '../codec/index.js';
import type { NewWorkUnit } from '../core/work-spec/work-spec.js';
import { CoordinateError } from '../errors/index.js';
import { anyNumber, duration, oneOf, wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { countOf, countText, timeText } from './count-text.js';
import { InterruptedError } from './interrupted-error.js';
import { findWorkSpec, openNamespace } from './open-namespace.js';
import { Progress } from './progress.js';
import { queueClock } from './queue-clock.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { shownName, unitNameOf } from './shown-name.js';
import { unitFormats, unitsFrom, type UnitDefaults, type UnitFormat } from './unit-source.js';
import { UsageError } from './usage-error.js';

interface AddOptions extends CommonOptions {
  readonly file?: string;
  readonly format?: UnitFormat;
  readonly nameColumn: string;
  readonly data: DataDictionary;
  readonly priority?: number;
  readonly delay?: number;
  readonly total?: number;
}

/** Where units come from. */
interface Source {
  readonly units: (now: () => Date) => AsyncIterable<NewWorkUnit> | Iterable<NewWorkUnit>;
  /** How many there are, or bytes of the file they are in; undefined if nobody knows. */
  readonly total: number | undefined;
  /** How many bytes of the file have been read. */
  readonly bytesRead?: () => number;
}

const help = `
Formats: list, a name in each line; jsonl, in each line "name", ["name", {data}, {"priority": 1, "delay": 60}] or {"name": "a", "data": {},
"priority": 1, "notBefore": "2030-01-01T00:00:00Z"}; csv, with a header: one column is the name, the others are data, as text.
A name that is not text is written as hexadecimal digits, hex:00ff.
Units that are there already are replaced; those that have ended run again.

Examples:
  pg-coordinate add thumbnails cat.jpg dog.jpg --data '{"width": 120}'
  seq 1 1000000 | pg-coordinate add numbers - --total 1000000
  pg-coordinate add letters --file letters.csv --name-column id`;

export function addAddCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('add')
    .description('add work units to a work spec: from arguments, standard input (-) or a file')
    .argument('<spec>', 'the work spec')
    .argument('[units...]', 'names of units, or - for standard input');
  addNamespaceOptions(command)
    .option('--file <file>', 'read them from a file')
    .option('--format <format>', 'list, jsonl or csv (default: by the name of the file, else list)', oneOf(unitFormats))
    .option('--name-column <column>', 'which column of a CSV file holds the names', 'name')
    .option('--data <json>', 'data of all of them; those of a unit come on top', dataOf, {})
    .option('--priority <number>', 'their priority; higher comes first', anyNumber)
    .option('--delay <time>', 'not before so long from now, such as 90s, 15m, 2h', duration)
    .option('--total <number>', 'how many there will be, to show the time left', wholeNumber(1))
    .addHelpText('after', help)
    .action((spec: string, units: string[], options: AddOptions) => addUnits(spec, units, options, io));
}

async function addUnits(specName: string, names: readonly string[], options: AddOptions, io: CommandIo): Promise<void> {
  const source = await sourceOf(names, options, io);
  await using open = await openNamespace(options, io);
  const spec = await findWorkSpec(open.namespace, specName);
  const progress = new Progress('units', { total: source.total, output: io.stderr });
  try {
    const now = await queueClock(open.coordinate);
    const added = await spec.addWorkUnits(counted(source, now, progress), { signal: io.signal });
    progress.close();
    const ms = progress.elapsedMs;
    const rate = countText((added / Math.max(ms, 1)) * 1_000);
    await io.stdout.line(`${countOf(added, 'unit')} added to ${shownName(specName)} in ${timeText(ms)} (${rate} per second).`);
  } catch (error) {
    progress.close();
    if (error instanceof InterruptedError) await io.stderr.line('Some of the units are added; adding all of them again does no harm.');
    throw whatIsIn(error);
  }
}

/** The units come in batches that are committed as they go: whoever ends or breaks it off should know. */
function whatIsIn(error: unknown): unknown {
  if (error instanceof InterruptedError || !(error instanceof Error)) return error;
  if (!(error instanceof CoordinateError)) return new Error(`${error.message}; what came before is added`, { cause: error });
  if (error.code !== 'InvalidArgument') return error;
  // Not the argument of the command, of which nothing was done.
  const field = String(error.details.field).replace(/^units\[(\d+)\]/, (_, index: string) => `unit ${Number(index) + 1}:`);
  return new Error(`${field} ${error.details.problem}; what came before is added`.replace(':.', ': '), { cause: error });
}

async function* counted({ units, bytesRead }: Source, now: () => Date, progress: Progress): AsyncGenerator<NewWorkUnit> {
  for await (const unit of units(now)) {
    yield unit;
    progress.advance(1, bytesRead?.());
  }
}

async function sourceOf(names: readonly string[], options: AddOptions, io: CommandIo): Promise<Source> {
  const { file, total, format } = options;
  const isPiped = names.length === 1 && names[0] === '-';
  if (names.includes('-') && !isPiped) throw new UsageError('- is standard input, and stands alone: give names or -');
  if (file !== undefined && names.length > 0) throw new UsageError('give names, - or --file, not two of them');
  if (isPiped) return { units: (now) => unitsFrom(io.stdin, format ?? 'list', defaultsOf(options, now)), total };
  if (file !== undefined) return fileSource(resolve(io.directory, file), options);
  if (names.length === 0) throw new UsageError('name the units to add, or give - for standard input, or --file');
  const keys = names.map(unitNameOf);
  const units: Source['units'] = (now) => {
    const { data, meta } = defaultsOf(options, now);
    return keys.map((name): NewWorkUnit => ({ name, data, meta }));
  };
  return { units, total: names.length };
}

async function fileSource(path: string, options: AddOptions): Promise<Source> {
  const about = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  if (about.isDirectory()) throw new UsageError(`${path} is a folder, not a file of units`);
  const { format = formatOf(path), total } = options;
  const stream = createReadStream(path);
  const units: Source['units'] = (now) => unitsFrom(stream, format, defaultsOf(options, now));
  return total === undefined && about.isFile() ? { units, total: about.size, bytesRead: () => stream.bytesRead } : { units, total };
}

function formatOf(path: string): UnitFormat {
  const formats: Readonly<Record<string, UnitFormat>> = { '.csv': 'csv', '.jsonl': 'jsonl', '.ndjson': 'jsonl', '.json': 'jsonl' };
  return formats[extname(path).toLowerCase()] ?? 'list';
}

function defaultsOf({ data, priority, delay, nameColumn }: AddOptions, now: () => Date): UnitDefaults {
  const notBefore = delay === undefined ? {} : { notBefore: new Date(now().getTime() + delay) };
  return { data, now, nameColumn, meta: { ...(priority !== undefined && { priority }), ...notBefore } };
}

function dataOf(text: string): DataDictionary {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new InvalidArgumentError(`It is not JSON: ${(error as Error).message}.`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidArgumentError('It must be a JSON object.');
  return value as DataDictionary;
}

