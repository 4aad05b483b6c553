import { percent, printTable } from '../table.js';
import type { ProductName } from './product.js';
import type { Readings } from './readings.js';
import type { Line } from './rows/row.js';

/** A line of the table: the medians of all products. */
export interface Result {
  readonly row: string;
  readonly line: string;
  readonly title: string;
  readonly unit: Line['unit'];
  readonly values: readonly {
    readonly product: ProductName;
    readonly value: number;
    /** Of each repeat, in order. */
    readonly all: readonly number[];
    /** Of the repeat nearest to it. */
    readonly readings?: Readings | undefined;
    /** Of a line that is about curves: the median of each part, and those of each repeat. */
    readonly curve?: readonly number[];
    readonly curves?: readonly (readonly number[])[];
  }[];
}

/** The rates with their ratios, how they went on, then what they cost. */
export function printResults(results: readonly Result[]): void {
  const products = [...new Set(results.flatMap(({ values }) => values.map(({ product }) => product)))];
  printTable('Us and the peers, medians', ['', ...products, 'us : best peer', 'us : ceiling', 'us : ceiling-handing-out'], results.map((result) => {
    const { best, ceiling, handingOut } = ratios(result);
    return [`${result.title}, ${result.unit}`, ...products.map((product) => cell(result, product)), ratio(best), ratio(ceiling), ratio(handingOut)];
  }));
  const curves = results.flatMap(({ row, values }) => values.flatMap(({ product, curve }) => (curve === undefined ? [] : [[`${row}: ${product}`, ...curve]])));
  if (curves.length > 0) printTable('Medians of each part of the time, jobs/s', ['', ...(curves[0] ?? []).slice(1).map((_, part) => `${part + 1}`)], curves);
  const costs = results.filter(({ line }) => line === 'rate' || line === 'last').flatMap(({ row, values }) =>
    values.flatMap(({ product, readings }) => (readings === undefined ? [] : [costRow(`${row}: ${product}`, readings)])),
  );
  if (costs.length > 0) printTable('What it costs, per job unless it says otherwise', costColumns, costs);
}

const costColumns = [
  '', 'WAL, B', 'dead tuples', 'HOT updates', 'indexes, MiB', 'tables, MiB', 'server CPU, µs', 'clients CPU, µs', 'RSS of a worker, MiB', 'aborted',
];

function costRow(name: string, readings: Readings): (string | number)[] {
  const { walBytes, deadTuples, hotUpdates, indexBytes, tableBytes, serverMicros, clientMicros, workerRss, abortShare } = readings;
  const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
  return [
    name, walBytes, deadTuples.toFixed(2), hotUpdates.toFixed(2), mib(indexBytes), mib(tableBytes), serverMicros, clientMicros,
    workerRss === undefined ? '–' : mib(workerRss), abortShare === undefined ? '–' : percent(abortShare),
  ];
}

const notPeers: readonly ProductName[] = ['us', 'us-scattered', 'ceiling', 'ceiling-handing-out'];

/** How many times better we are than the best peer, and than plain SQL; for times, how many times shorter. */
export function ratios({ unit, values }: Result): { best?: number; ceiling?: number; handingOut?: number } {
  const ours = values.find(({ product }) => product === 'us')?.value;
  const peers = values.filter(({ product }) => !notPeers.includes(product)).map(({ value }) => value);
  if (ours === undefined) return {};
  const to = (name: ProductName): number | undefined => {
    const value = values.find(({ product }) => product === name)?.value;
    return value === undefined ? undefined : ours / value;
  };
  const [ceiling, handingOut] = [to('ceiling'), to('ceiling-handing-out')];
  return {
    ...(peers.length > 0 && { best: unit === 'ms' ? Math.min(...peers) / ours : ours / Math.max(...peers) }),
    ...(ceiling !== undefined && { ceiling }),
    ...(handingOut !== undefined && { handingOut }),
  };
}

function cell({ unit, values }: Result, product: ProductName): string | number {
  const value = values.find((one) => one.product === product)?.value;
  return value === undefined ? '–' : unit === 'ms' ? value.toFixed(2) : value;
}

function ratio(value?: number): string {
  return value === undefined ? '–' : `${value.toFixed(2)} ×`;
}
