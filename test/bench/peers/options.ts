import { parseArgs } from 'node:util';
import { productNames, type ProductName } from './product.js';
import { rows } from './rows/index.js';
import type { Row, Scale } from './rows/row.js';

/** What the suite is to do. */
export interface BenchOptions {
  readonly products: readonly ProductName[];
  readonly rows: readonly Row[];
  readonly repeats: number;
  readonly scale: Scale;
  /** Cost curves instead of the rows, and up to how many waiting jobs. */
  readonly curves: boolean;
  readonly most: number;
  readonly quick: boolean;
  /** Settings of the server besides its defaults. */
  readonly settings: Readonly<Record<string, string>>;
  /** Where figures and plot are written, without extension; undefined: nowhere. */
  readonly output: string | undefined;
}

const full: Scale = {
  added: 200_000,
  batch: 1_000,
  oneByOneSeconds: 4,
  workedOff: 20_000,
  warmUpMs: 3_000,
  waiting: 1_000_000,
  rounds: 500,
  steadySeconds: 60,
  backlog: 20_000,
  analyzed: true,
};

/** Only shows that everything runs. */
const quick: Scale = {
  added: 2_000,
  batch: 500,
  oneByOneSeconds: 0.3,
  workedOff: 300,
  warmUpMs: 0,
  waiting: 1_000,
  rounds: 10,
  steadySeconds: 0.5,
  backlog: 1_000,
  analyzed: true,
};

/** Of rows that share their code, one. */
const quickRows = rows.filter(({ key }) => ['add', 'one-by-one', 'work-off', 'latency', 'latency-apart', 'locked'].includes(key));

/** Raises with a sentence that says what is wrong. */
export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      only: { type: 'string' },
      rows: { type: 'string' },
      repeats: { type: 'string' },
      waiting: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up-seconds': { type: 'string' },
      rounds: { type: 'string' },
      unanalyzed: { type: 'boolean', default: false },
      curves: { type: 'boolean', default: false },
      most: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      output: { type: 'string' },
    },
  });
  const scale = values.quick ? quick : full;
  const count = (option: 'repeats' | 'waiting' | 'seconds' | 'warm-up-seconds' | 'rounds' | 'most', otherwise: number, least = Number.MIN_VALUE): number => {
    const given = values[option];
    if (given === undefined) return otherwise;
    const number = Number(given.replaceAll(/[_,]/g, ''));
    if (!(number >= least)) throw new Error(`--${option} must be a number ${least === 0 ? 'of at least 0' : 'above 0'}, not ${given}`);
    return number;
  };
  return {
    products: chosen('only', values.only, values.curves ? ['us'] : productNames, productNames, (name) => name),
    rows: chosen('rows', values.rows, values.quick ? quickRows : rows, rows, ({ key }) => key),
    repeats: count('repeats', values.quick || values.curves ? 1 : 3),
    scale: {
      ...scale,
      waiting: count('waiting', scale.waiting),
      steadySeconds: count('seconds', scale.steadySeconds),
      warmUpMs: 1_000 * count('warm-up-seconds', scale.warmUpMs / 1_000, 0),
      rounds: count('rounds', scale.rounds),
      analyzed: !values.unanalyzed,
    },
    curves: values.curves,
    quick: values.quick,
    most: count('most', values.quick ? 1_000 : 1_000_000),
    settings: Object.fromEntries(values.set.map((setting) => setting.split('=', 2) as [string, string])),
    output: values.output,
  };
}

/** A list of names, separated by commas. */
function chosen<T>(option: string, given: string | undefined, otherwise: readonly T[], all: readonly T[], nameOf: (item: T) => string): readonly T[] {
  if (given === undefined) return otherwise;
  return given.split(',').map((name) => {
    const item = all.find((one) => nameOf(one) === name);
    if (item === undefined) throw new Error(`--${option} knows no ${name}, but ${all.map(nameOf).join(', ')}`);
    return item;
  });
}
