import type { Command } from 'commander';
import { wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import type { CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { tableText } from './table.js';
import { UsageError } from './usage-error.js';
import { jsonValue } from './value-text.js';

/** One thing that a list tells of each row. */
export interface Field<Row> {
  /** The title of the column; in JSON without its spaces: `not before` is `notBefore`. */
  readonly title: string;
  readonly right?: boolean;
  readonly value: (row: Row) => unknown;
}

/** The options of every command that lists something. */
export interface ListingOptions extends CommonOptions {
  readonly json: boolean;
  readonly csv: boolean;
  readonly limit: number;
  readonly all: boolean;
  readonly after?: string;
}

const defaultLimit = 100;

export function addListingOptions(command: Command, afterWhat: string): Command {
  return command
    .option('--limit <number>', 'at most so many', wholeNumber(1), defaultLimit)
    .option('--all', 'all of them, however many', false)
    .option('--after <value>', `only what comes after this ${afterWhat}`)
    .option('--json', 'print a JSON array of objects', false)
    .option('--csv', 'print CSV, with a header', false);
}

/** How many rows are read, and printed, at once. */
export const pageSize = 500;

/** Prints rows as they come: as a table, JSON or CSV. Call `end()` after the last. */
export class Listing<Row> {
  readonly #fields: readonly Field<Row>[];
  readonly #format: 'table' | 'json' | 'csv';
  readonly #io: CommandIo;
  readonly #nothing: string;
  #printed = 0;

  constructor(fields: readonly Field<Row>[], { json, csv }: ListingOptions, { io, nothing }: { readonly io: CommandIo; readonly nothing: string }) {
    if (json && csv) throw new UsageError('give --json or --csv, not both');
    this.#fields = fields;
    this.#format = json ? 'json' : csv ? 'csv' : 'table';
    this.#io = io;
    this.#nothing = nothing;
  }

  async page(rows: readonly Row[]): Promise<void> {
    this.#io.signal.throwIfAborted();
    if (rows.length === 0) return;
    await this.#io.stdout.write(this.#text(rows));
    this.#printed += rows.length;
  }

  /** `next`: what --after would have to be for the rest; null if that was all. */
  async end(next: string | null = null): Promise<void> {
    const { stdout, stderr } = this.#io;
    if (this.#format === 'json') await stdout.write(this.#printed === 0 ? '[]\n' : '\n]\n');
    if (this.#format === 'csv' && this.#printed === 0) await stdout.write(`${this.#header()}\n`);
    if (this.#format === 'table' && this.#printed === 0) await stdout.line(this.#nothing);
    if (next !== null) await stderr.line(`There may be more: go on with --after ${shownName(next)}, or give --all.`);
  }

  #text(rows: readonly Row[]): string {
    switch (this.#format) {
      case 'json': {
        const objects = rows.map((row) => JSON.stringify(this.#object(row)));
        return `${this.#printed === 0 ? '[\n' : ',\n'}${objects.map((text) => `  ${text}`).join(',\n')}`;
      }
      case 'csv': {
        const lines = rows.map((row) => this.#fields.map(({ value }) => csvCell(plainText(value(row)))).join(','));
        return `${[...(this.#printed === 0 ? [this.#header()] : []), ...lines].join('\n')}\n`;
      }
      case 'table': {
        const cells = rows.map((row) => this.#fields.map(({ value }) => tableCell(value(row))));
        return `${tableText(this.#fields, cells)}\n`;
      }
    }
  }

  #header(): string {
    return this.#fields.map(({ title }) => csvCell(title)).join(',');
  }

  #object(row: Row): object {
    return Object.fromEntries(this.#fields.map(({ title, value }) => [keyOf(title), plainValue(value(row))]));
  }
}

function keyOf(title: string): string {
  return title.replaceAll(/ (\w)/g, (_, letter: string) => letter.toUpperCase());
}

/** Times as they are in JSON everywhere else: whoever asks for a column knows that it is one. */
function plainValue(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : jsonValue(value);
}

function plainText(value: unknown): string {
  if (value === null || value === undefined) return '';
  const plain = plainValue(value);
  return typeof plain === 'string' ? plain : JSON.stringify(plain);
}

function tableCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value === true) return 'yes';
  if (value === false) return 'no';
  return typeof value === 'string' ? shownName(value) : plainText(value);
}

function csvCell(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
