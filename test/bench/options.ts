import { parseArgs } from 'node:util';

/** What the benchmark is to do. */
export interface BenchOptions {
  /** Units per call. */
  readonly batches: readonly number[];
  /** Loops at once, each with a connection of its own. */
  readonly connections: readonly number[];
  /** Units waiting besides those being claimed. */
  readonly waiting: readonly number[];
  /** Other work specs in the namespace. */
  readonly others: number;
  readonly repeats: number;
  /** How often each condition has its turn where the cost of one claim is measured. */
  readonly turns: number;
  /** Units that a generator gives. */
  readonly streamed: number;
  /** How often a latency is measured. */
  readonly rounds: number;
  /** Seconds to work with a snapshot held open. */
  readonly heldSeconds: number;
  /** Units over HTTP. */
  readonly httpUnits: number;
  /** A folder for CPU profiles of the server over HTTP; undefined: none. */
  readonly profile: string | undefined;
  /** Workers that wait over HTTP. */
  readonly crowd: { readonly workers: number; readonly units: number; readonly perSecond: number; readonly killEveryMs: number };
  readonly parts: readonly string[];
  /** Where to write the figures as JSON; undefined: nowhere. */
  readonly json: string | undefined;
}

export const allParts = ['matrix', 'waiting', 'specs', 'held', 'runtime', 'latency', 'http', 'crowd'] as const;

/** `--quick` only shows that everything runs; every number can be given, such as `--batches 1,100 --connections 8`. */
export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      batches: { type: 'string' },
      connections: { type: 'string' },
      waiting: { type: 'string' },
      others: { type: 'string' },
      repeats: { type: 'string' },
      turns: { type: 'string' },
      streamed: { type: 'string' },
      rounds: { type: 'string' },
      held: { type: 'string' },
      'http-units': { type: 'string' },
      'crowd-units': { type: 'string' },
      'crowd-workers': { type: 'string' },
      'crowd-rate': { type: 'string' },
      'crowd-kill': { type: 'string' },
      profile: { type: 'string' },
      parts: { type: 'string' },
      json: { type: 'string' },
    },
  });
  const { quick } = values;
  const list = (given: string | undefined, full: number[], short: number[]): number[] =>
    given === undefined ? (quick ? short : full) : given.split(',').map(Number);
  return {
    batches: list(values.batches, [1, 10, 100, 1_000], [1, 100]),
    connections: list(values.connections, [1, 2, 8, 32], [2]),
    waiting: list(values.waiting, [10_000, 1_000_000], [1_000, 10_000]),
    others: Number(values.others ?? (quick ? 20 : 1_000)),
    repeats: Number(values.repeats ?? (quick ? 1 : 3)),
    turns: Number(values.turns ?? (quick ? 2 : 30)),
    streamed: Number(values.streamed ?? (quick ? 5_000 : 1_000_000)),
    rounds: Number(values.rounds ?? (quick ? 20 : 1_000)),
    heldSeconds: Number(values.held ?? (quick ? 2 : 30)),
    httpUnits: Number(values['http-units'] ?? (quick ? 2_000 : 100_000)),
    profile: values.profile,
    crowd: {
      workers: Number(values['crowd-workers'] ?? (quick ? 100 : 1_000)),
      units: Number(values['crowd-units'] ?? (quick ? 1_000 : 20_000)),
      perSecond: Number(values['crowd-rate'] ?? 100),
      killEveryMs: 1_000 * Number(values['crowd-kill'] ?? (quick ? 1 : 8)),
    },
    parts: values.parts?.split(',') ?? allParts,
    json: values.json,
  };
}
