import { encodeValue, type DataDictionary } from '../codec/index.js';
import { isClose } from '../options/index.js';
import type { FlowSpec } from './flow-file.js';
import { shownName } from './shown-name.js';

/** What a file of work specs changes about one. */
export interface FlowStep {
  readonly name: string;
  readonly kind: 'create' | 'change' | 'keep' | 'remove';
  /** Of a change: which keys of the definition, and their values; undefined is none. */
  readonly keys: readonly { readonly key: string; readonly from: unknown; readonly to: unknown }[];
}

/** What there is to do so that the namespace has the work specs of the file, and with `prune` no others. Pure. */
export function planFlow(wanted: readonly FlowSpec[], current: ReadonlyMap<string, DataDictionary>, prune: boolean): FlowStep[] {
  const steps = wanted.map((spec): FlowStep => {
    const { name } = spec;
    const before = current.get(name);
    if (before === undefined) return { name, kind: 'create', keys: [] };
    const keys = changedKeys(before, spec);
    return { name, kind: keys.length > 0 ? 'change' : 'keep', keys };
  });
  const names = new Set(wanted.map(({ name }) => name));
  const others = prune ? [...current.keys()].filter((name) => !names.has(name)) : [];
  return [...steps, ...others.map((name): FlowStep => ({ name, kind: 'remove', keys: [] }))];
}

function changedKeys(before: DataDictionary, after: DataDictionary): FlowStep['keys'] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])]
    .map((key) => ({ key, from: own(before, key), to: own(after, key) }))
    .filter(({ from, to }) => !isSame(from, to));
}

function own(data: DataDictionary, key: string): unknown {
  return Object.hasOwn(data, key) ? data[key] : undefined;
}

/** As it is stored: that alone tells a list from a tuple, or 1 from 1.0. */
function isSame(a: unknown, b: unknown): boolean {
  if (a === undefined || b === undefined) return a === b;
  return encodeValue(a).equals(encodeValue(b));
}

/** The keys that mean something, and what their values must be to count. */
const knownKeys: Readonly<Record<string, 'number' | 'boolean' | 'string' | 'any'>> = {
  name: 'string', priority: 'number', weight: 'number', nice: 'number', disabled: 'boolean', continuous: 'boolean', interval: 'number',
  max_running: 'number', max_getwork: 'number', max_retries: 'number', min_gb: 'number', then: 'string', runtime: 'string', task: 'string',
  retry: 'any', module: 'any', run_function: 'any', terminate_function: 'any', config: 'any', desc: 'any', then_preempts: 'any',
};

/** What is allowed but hardly meant: misspelt keys, values that do not count, a `then` that leads nowhere. Pure. */
export function flowWarnings(wanted: readonly FlowSpec[], current: ReadonlyMap<string, DataDictionary>): string[] {
  const names = new Set([...wanted.map(({ name }) => name), ...current.keys()]);
  return wanted.flatMap((spec) =>
    Object.entries(spec)
      .map(([key, value]) => problemOf(key, value, names))
      .filter((problem) => problem !== null)
      .map((problem) => `${shownName(spec.name)}: ${problem}`),
  );
}

function problemOf(key: string, value: unknown, names: ReadonlySet<string>): string | null {
  const kind = Object.hasOwn(knownKeys, key) ? knownKeys[key] : undefined;
  if (kind === undefined) {
    // Short keys are close to anything.
    const close = key.length < 4 ? undefined : Object.keys(knownKeys).find((name) => name.length >= 4 && isClose(name, key));
    return close === undefined ? null : `the key ${JSON.stringify(key)} means nothing; did you mean ${close}?`;
  }
  const given = typeof value === 'bigint' ? 'number' : typeof value;
  if (kind !== 'any' && given !== kind) return `${key} must be a ${kind} to count, not ${JSON.stringify(String(value))}`;
  if (key === 'then' && value !== '' && !names.has(value as string)) return `there is no work spec ${shownName(value as string)} for its output`;
  return null;
}
