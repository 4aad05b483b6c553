/* Us against the peers: see README.md. */
import { writeFile } from 'node:fs/promises';
import { median } from '../measure.js';
import { measureCurves } from './curves.js';
import { makeWalFiles, startServer, type BenchServer } from './database.js';
import { readOptions, type BenchOptions } from './options.js';
import { plotOf } from './plot.js';
import type { ProductName } from './product.js';
import { printResults, type Result } from './report.js';
import type { Figure, Line } from './rows/row.js';

const options = readOptions(process.argv.slice(2));
// 64 processes of a curve have more connections than a server allows by default.
const server = await startServer({ ...(options.curves && { max_connections: '1000' }), ...options.settings });
try {
  if (!options.quick) await server.withDatabase(makeWalFiles);
  await (options.curves ? measureCurves(server, options) : benchRows());
} finally {
  await server.stop();
}

async function benchRows(): Promise<void> {
  const results = await measureRows(server, options);
  printResults(results);
  if (options.output === undefined) return;
  await writeFile(`${options.output}.json`, JSON.stringify({ at: new Date(), node: process.version, ...options.scale, results }, null, 2));
  await writeFile(`${options.output}.svg`, plotOf(results));
}

/** The products take turns within each repeat, so that a slow moment of the machine meets all of them. */
async function measureRows(on: BenchServer, { rows, products, repeats, scale }: BenchOptions): Promise<Result[]> {
  const results: Result[] = [];
  for (const row of rows) {
    const names = row.products.filter((name) => products.includes(name));
    const figures = new Map<ProductName, Figure[]>(names.map((name) => [name, []]));
    for (let repeat = 0; repeat < repeats; repeat++) {
      for (const name of names) {
        const figure = await row.measure(on, name, scale);
        const shown = Object.entries(figure.values).map(([key, value]) => `${key} ${value.toFixed(2)}`);
        console.error(`${row.key} ${name}: ${shown.join(', ')}`);
        figures.get(name)?.push(figure);
      }
    }
    for (const line of row.lines) {
      const values = [...figures].map(([product, all]) => ({ product, ...valueOf(line, all) }));
      results.push({ row: row.key, line: line.key, title: line.title, unit: line.unit, values });
    }
  }
  return results;
}

/** What a line says of all repeats. */
function valueOf({ key, ofCurve }: Line, figures: readonly Figure[]): Omit<Result['values'][number], 'product'> {
  if (ofCurve !== undefined) {
    const curves = figures.flatMap(({ curve }) => (curve === undefined ? [] : [curve]));
    const medians = (curves[0] ?? []).map((_, part) => median(curves.map((curve) => curve[part] ?? Number.NaN)));
    return { value: ofCurve(medians), all: curves.map((curve) => ofCurve(curve)), curve: medians, curves };
  }
  const all = figures.map(({ values }) => values[key] ?? Number.NaN);
  const value = median(all);
  // The readings of one run, as they belong together.
  const distance = ({ values }: Figure): number => Math.abs((values[key] ?? Number.NaN) - value);
  return { value, all, readings: figures.toSorted((one, other) => distance(one) - distance(other))[0]?.readings };
}
