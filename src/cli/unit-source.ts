import type { Readable } from 'node:stream';
import type { DataDictionary } from '../codec/index.js';
import type { NewWorkUnit } from '../core/work-spec/work-spec.js';
import type { WorkUnitMeta } from '../core/work-unit/work-unit.js';
import { CoordinateError } from '../errors/index.js';
import { checkDate, checkNumber, checkOptions, kindOf } from '../options/index.js';
import { linesOf } from './lines.js';
import { unitNameOf } from './shown-name.js';

/** How the units to add are written. */
export const unitFormats = ['list', 'jsonl', 'csv'] as const;
export type UnitFormat = (typeof unitFormats)[number];

/** What units have that does not say otherwise. */
export interface UnitDefaults {
  readonly data: DataDictionary;
  readonly meta: Partial<WorkUnitMeta>;
  /** The time by which units are delayed: the queue's. */
  readonly now: () => Date;
  /** The column of a CSV file that holds the names. */
  readonly nameColumn: string;
}

/** The units that a stream of bytes describes, one by one. Raises an Error that says in which line something is wrong. */
export function unitsFrom(stream: Readable, format: UnitFormat, defaults: UnitDefaults): AsyncGenerator<NewWorkUnit> {
  if (format === 'csv') return csvUnits(stream, defaults);
  return format === 'jsonl' ? jsonUnits(stream, defaults) : listUnits(stream, defaults);
}

/** Names, one in a line. */
async function* listUnits(stream: Readable, { data, meta }: UnitDefaults): AsyncGenerator<NewWorkUnit> {
  const mark = Buffer.from('hex:');
  for await (const line of linesOf(stream)) {
    if (line.length === 0) continue;
    const name = line.subarray(0, mark.length).equals(mark) ? unitNameOf(line.toString('latin1')) : line;
    yield { name, data, meta };
  }
}

/** One JSON value in a line: "name", ["name", data, meta], or {"name", "data", "priority", "notBefore", "delay"}. */
async function* jsonUnits(stream: Readable, defaults: UnitDefaults): AsyncGenerator<NewWorkUnit> {
  let number = 0;
  for await (const line of linesOf(stream)) {
    number++;
    if (line.length === 0 || line.toString().trim() === '') continue;
    yield atLine(number, () => unitOfJson(parseJson(line.toString('utf8')), defaults));
  }
}

async function* csvUnits(stream: Readable, { data, meta, nameColumn }: UnitDefaults): AsyncGenerator<NewWorkUnit> {
  const { CsvError, parse } = await import('csv-parse');
  const parser = parse({ columns: true, bom: true, skip_empty_lines: true, skip_records_with_empty_values: false });
  stream.on('error', (error) => parser.destroy(error));
  let number = 0;
  try {
    for await (const record of stream.pipe(parser)) {
      number++;
      const { [nameColumn]: name, ...columns } = record as Record<string, string>;
      if (name === undefined) {
        const known = Object.keys(columns).join(', ');
        throw new Error(`the CSV has no column ${JSON.stringify(nameColumn)} for the names (it has ${known}); say which with --name-column`);
      }
      if (name === '') throw new Error(`row ${number} of the CSV has no name`);
      yield { name: unitNameOf(name), data: { ...data, ...columns }, meta };
    }
  } catch (error) {
    if (error instanceof CsvError) throw new Error(`the CSV cannot be read: ${error.message}`, { cause: error });
    throw error;
  } finally {
    stream.unpipe(parser);
    parser.destroy();
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`is not JSON: ${(error as Error).message}`, { cause: error });
  }
}

interface JsonUnit {
  readonly name: string;
  readonly data?: DataDictionary;
  readonly priority?: number;
  readonly notBefore?: string;
  readonly delay?: number;
}

function unitOfJson(value: unknown, defaults: UnitDefaults): NewWorkUnit {
  if (typeof value === 'string') return { name: unitNameOf(value), data: defaults.data, meta: defaults.meta };
  const unit = checkOptions(
    (Array.isArray(value) ? fromList(value) : value) as JsonUnit,
    'it',
    ['name', 'data', 'priority', 'notBefore', 'delay'],
  );
  if (typeof unit?.name !== 'string') throw new Error(`must be a name, or have a name that is text, not ${kindOf(unit?.name)}`);
  const { data = {} } = unit;
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new Error(`must have data that are an object, not ${kindOf(data)}`);
  return { name: unitNameOf(unit.name), data: { ...defaults.data, ...data }, meta: { ...defaults.meta, ...metaOf(unit, defaults) } };
}

/** The form in which finished units name those of the next work spec: [name, data, {priority, delay}]. */
function fromList([name, data, meta]: readonly unknown[]): unknown {
  return { name, ...(data !== undefined && data !== null && { data }), ...(meta as object | null | undefined) };
}

function metaOf({ priority, notBefore, delay }: JsonUnit, { now }: UnitDefaults): Partial<WorkUnitMeta> {
  const at = notBefore === undefined ? undefined : checkDate(new Date(notBefore), 'notBefore');
  const later = delay === undefined ? undefined : new Date(now().getTime() + checkNumber(delay, 'delay', { least: 0 }) * 1_000);
  const time = at ?? later;
  return {
    ...(priority !== undefined && { priority: checkNumber(priority, 'priority') }),
    ...(time !== undefined && { notBefore: time }),
  };
}

function atLine<T>(number: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    const { message } = error as Error;
    const problem = error instanceof CoordinateError ? `${String(error.details.field).replace(/^it\.?/, '')} ${error.details.problem}` : message;
    throw new Error(`line ${number} ${problem.trim()}`, { cause: error });
  }
}
