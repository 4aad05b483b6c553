import type { DataDictionary } from '../codec/index.js';
import { valueText } from './value-text.js';

/** Units that have failed of the same error. */
export interface ErrorGroup {
  /** The error, without what differs from unit to unit. */
  readonly error: string;
  readonly count: number;
  readonly example: ErrorExample;
}

export interface ErrorExample {
  readonly workSpec: string;
  readonly unit: string;
  readonly data: DataDictionary;
}

/** More kinds of errors than this are none any more; the rest counts as others. */
const mostGroups = 1_000;

/** Groups failed units by their error, however many units there are. */
export class ErrorGroups {
  readonly #groups = new Map<string, { count: number; readonly example: ErrorExample }>();

  add(example: ErrorExample): void {
    const kind = errorKind(example.data);
    const group = this.#groups.get(kind) ?? (this.#groups.size >= mostGroups ? this.#groups.get(others) : undefined);
    if (group === undefined) this.#groups.set(this.#groups.size >= mostGroups ? others : kind, { count: 1, example });
    else group.count++;
  }

  /** The most frequent first. */
  list(): ErrorGroup[] {
    return [...this.#groups].map(([error, { count, example }]) => ({ error, count, example })).sort((a, b) => b.count - a.count);
  }
}

const others = 'other errors';

/**
 * The error that a failed unit's data tell of, with numbers and identifiers as `#`: `error` as our workers write it, `traceback` as
 * Python's do (its last line).
 */
export function errorKind(data: DataDictionary): string {
  return errorText(data)
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '#')
    .replaceAll(/\b0x[0-9a-f]+\b|\b(?=[a-f]*\d)[0-9a-f]{8,}\b|\d+/gi, '#');
}

/** The error on one line. */
export function errorText(data: DataDictionary): string {
  const { error, traceback } = data;
  if (typeof error === 'object' && error !== null && 'message' in error) {
    const { name, message } = error as { readonly name?: unknown; readonly message: unknown };
    return oneLine(`${typeof name === 'string' ? `${name}: ` : ''}${String(message)}`);
  }
  if (error !== undefined) return oneLine(typeof error === 'string' ? error : valueText(error));
  if (typeof traceback === 'string') return oneLine(traceback.trimEnd().split('\n').at(-1) ?? '');
  return 'no error in its data';
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
