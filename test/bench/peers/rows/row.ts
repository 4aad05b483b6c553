import type { BenchServer } from '../database.js';
import type { ProductName } from '../product.js';
import type { Readings } from '../readings.js';

/** How much is done for one figure. */
export interface Scale {
  /** Jobs that are added in batches, and how many at once. */
  readonly added: number;
  readonly batch: number;
  /** For how long jobs are added one by one. */
  readonly oneByOneSeconds: number;
  /** Jobs that are worked off. */
  readonly workedOff: number;
  /** For how long, at least, the workers have worked before. */
  readonly warmUpMs: number;
  /** Jobs that wait besides, in the row that asks how much they slow down the others. */
  readonly waiting: number;
  /** How often a latency is measured. */
  readonly rounds: number;
  /** For how long as many jobs are added as are worked off, and how many wait or run meanwhile: enough that no worker has to look twice. */
  readonly steadySeconds: number;
  readonly backlog: number;
  /** Whether tables are cleaned up and have statistics when work begins, as once autovacuum has been there. */
  readonly analyzed: boolean;
}

/** What one measurement of one product came to: values by the names of the row's lines. */
export interface Figure {
  readonly values: Readonly<Record<string, number>>;
  /** Jobs a second in each part of the time, if it is measured in parts. */
  readonly curve?: readonly number[];
  readonly readings?: Readings;
}

/** A line of the table: one value of a row's figures, or what `ofCurve` makes of the medians of each part of their curves. */
export interface Line {
  readonly key: string;
  readonly title: string;
  readonly unit: 'jobs/s' | 'ms' | '%';
  readonly ofCurve?: (medians: readonly number[]) => number;
}

/** One thing that is measured of every product. */
export interface Row {
  readonly key: string;
  readonly lines: readonly Line[];
  /** Those that it is measured of. */
  readonly products: readonly ProductName[];
  measure(server: BenchServer, product: ProductName, scale: Scale): Promise<Figure>;
}
