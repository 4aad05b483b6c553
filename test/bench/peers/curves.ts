import { writeFile } from 'node:fs/promises';
import { median } from '../measure.js';
import { printTable } from '../table.js';
import type { BenchServer } from './database.js';
import type { BenchOptions } from './options.js';
import { queueNames, type ProductName } from './product.js';
import type { Figure } from './rows/row.js';
import { measureInPassing } from './rows/waiting.js';
import { measureWorkOff, type WorkOffSettings } from './rows/work-off.js';

/** How the rates depend on one thing, all else being as in the row work-off, or of how many wait as in the row waiting. */
interface Curve {
  readonly key: string;
  readonly title: string;
  /** Those that know the thing at all. */
  readonly products?: readonly ProductName[];
  readonly points: readonly { readonly at: number; readonly settings: Partial<WorkOffSettings> & { readonly waiting?: number } }[];
}

/** All payloads together have so many bytes at most. */
const mostPayload = 200_000_000;

function curvesOf({ scale, most, quick }: BenchOptions): Curve[] {
  const upTo = (end: number, ...steps: number[]): number[] => steps.filter((step) => step <= end);
  const few = (...steps: number[]): number[] => (quick ? steps.slice(0, 2) : steps);
  return [
    {
      key: 'waiting',
      title: 'by how many more are waiting',
      points: upTo(most, 1_000, 10_000, 100_000, 1_000_000, 10_000_000).map((at) => ({ at, settings: { waiting: at } })),
    },
    {
      key: 'queues',
      title: 'by over how many work specs the units are spread',
      products: ['us'],
      points: few(1, 10, 100, 1_000).map((at) => ({ at, settings: { queues: at } })),
    },
    {
      key: 'processes',
      title: 'by how many processes work',
      points: few(1, 2, 4, 8, 16, 32, 64).map((at) => ({ at, settings: { processes: at } })),
    },
    {
      key: 'payload',
      title: 'by the bytes of each payload',
      points: few(100, 1_000, 10_000, 100_000, 1_000_000).map((at) => ({
        at,
        settings: { payloadBytes: at, count: Math.min(scale.workedOff, Math.floor(mostPayload / at)) },
      })),
    },
  ];
}

/** Measures and prints all curves; by default of us alone. */
export async function measureCurves(server: BenchServer, options: BenchOptions): Promise<void> {
  const { repeats, scale, output } = options;
  const results: object[] = [];
  for (const { key, title, products = options.products, points } of curvesOf(options)) {
    const table: (string | number)[][] = [];
    for (const { at, settings } of points) {
      for (const product of products.filter((name) => queueNames.includes(name))) {
        const base = { product, mode: 'batched', count: scale.workedOff, warmUpMs: scale.warmUpMs, analyzed: scale.analyzed } as const;
        const { waiting } = settings;
        const figures: Figure[] = [];
        for (let repeat = 0; repeat < repeats; repeat++) {
          figures.push(await (waiting === undefined ? measureWorkOff(server, { ...base, ...settings }) : measureInPassing(server, { ...base, more: waiting })));
        }
        const middle = (value: 'add' | 'rate'): number => median(figures.map(({ values }) => values[value] ?? Number.NaN));
        const [add, rate] = [middle('add'), middle('rate')];
        const readings = figures.find(({ values }) => values.rate === rate)?.readings;
        console.error(`${key} ${at} ${product}: add ${add.toFixed(0)}, rate ${rate.toFixed(0)}`);
        results.push({ curve: key, at, product, add, rate, readings });
        table.push([
          `${at}, ${product}`, add, rate, readings?.walBytes ?? '–', readings?.serverMicros ?? '–', readings?.clientMicros ?? '–',
          (readings?.workerRss ?? Number.NaN) / 2 ** 20,
        ]);
      }
    }
    printTable(`Worked off, ${title}`, columns, table);
  }
  if (output !== undefined) await writeFile(`${output}-curves.json`, JSON.stringify(results, null, 2));
}

const columns = ['', 'add, jobs/s', 'work off, jobs/s', 'WAL, B', 'server CPU, µs', 'clients CPU, µs', 'RSS of a worker, MiB'];
