import { encodeValue } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { Refusal } from '../refusal.js';
import { listItems } from '../values/read-value.js';

/** What is locked: a path of labels. */
export interface KeyPath {
  /** As the client has sent it. */
  readonly given: unknown;
  /** The CBOR of each label, by which labels of different types differ. */
  readonly labels: readonly Buffer[];
}

/** Most bytes of one path: an entry of a PostgreSQL index holds a third of a page. */
const maxPathBytes = 2_000;

/** Most paths in one call: nobody else can lock anything while it lasts. */
const maxPaths = 10_000;

const undecodable = 'cannot decode key paths';

/** Reads the keys of a call. @throws Refusal when they are no list of lists of labels. */
export function readKeyPaths(value: unknown): KeyPath[] {
  const paths = listItems(value);
  if (paths === undefined) throw new Refusal(undecodable);
  if (paths.length > maxPaths) throw new InvalidArgumentError('keys', `must be at most ${maxPaths} key paths, not ${paths.length}`);
  return paths.map((path, index) => {
    const given = listItems(path);
    if (given === undefined) throw new Refusal(undecodable);
    const labels = given.map(encodeLabel);
    const bytes = labels.reduce((sum, label) => sum + label.length + 4, 0);
    if (bytes > maxPathBytes) throw new InvalidArgumentError(`keys[${index}]`, `must be at most ${maxPathBytes} bytes long, not ${bytes}`);
    return { given: path, labels };
  });
}

/** What compares equal exactly when the labels do. */
export function encodeLabel(label: unknown): Buffer {
  return encodeValue(label, 'label');
}

/** A path for people to read. */
export function describeKeyPath({ given }: KeyPath): string {
  const text = `(${(listItems(given) ?? []).map(describeLabel).join(', ')})`;
  return text.length > 200 ? `${text.slice(0, 200).toWellFormed()}...` : text;
}

function describeLabel(label: unknown): string {
  if (typeof label === 'string') return JSON.stringify(label);
  if (label instanceof Uint8Array) return `b${JSON.stringify(Buffer.from(label).toString('utf8'))}`;
  const items = listItems(label);
  if (items !== undefined) return `(${items.map(describeLabel).join(', ')})`;
  return typeof label === 'object' && label !== null && !(label instanceof Number) ? '{...}' : String(label);
}
