import type { ProductName } from './product.js';
import { ratios, type Result } from './report.js';

/** As who has not read the options knows them, and in which colour. */
const shown: Readonly<Record<ProductName, { readonly name: string; readonly colour: string }>> = {
  us: { name: 'pg-coordinate', colour: '#1f6feb' },
  'us-scattered': { name: 'pg-coordinate, scattered names', colour: '#79b8ff' },
  graphile: { name: 'graphile-worker', colour: '#8b949e' },
  'pg-boss': { name: 'pg-boss', colour: '#b0b7be' },
  bullmq: { name: 'BullMQ', colour: '#d0d4d9' },
  ceiling: { name: 'plain SQL', colour: '#e3b341' },
  'ceiling-handing-out': { name: 'plain SQL that locks and reads', colour: '#f2d98c' },
};

const [width, labelWidth, barHeight, curveHeight, gap] = [970, 330, 13, 80, 14];
const barWidth = width - labelWidth - 200;

/** What is drawn of one line of the table, and how high that is. */
interface Drawing {
  readonly elements: readonly string[];
  readonly height: number;
}

/** For each line a group of bars, each to the scale of its longest, or its curves over the time, if it has such; as text, for a README. */
export function plotOf(results: readonly Result[]): string {
  const drawn: string[] = [];
  let y = gap;
  for (const result of drawable(results)) {
    const { elements, height } = result.line === 'curve' ? curvesOf(result, y) : barsOf(result, y);
    drawn.push(...elements, ...labelOf(result, y + height / 2));
    y += height + gap;
  }
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#57606a"';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" ${style}>`,
    `<rect width="${width}" height="${y}" fill="#fff"/>`, ...drawn, '</svg>', '',
  ].join('\n');
}

/** A curve says all that the other lines of its row do, and shares are none of what is compared. */
function drawable(results: readonly Result[]): readonly Result[] {
  const curved = new Set(results.filter(({ line }) => line === 'curve').map(({ row }) => row));
  return results.filter(({ row, line, unit }) => (curved.has(row) ? line === 'curve' : unit !== '%'));
}

function barsOf({ values, unit }: Result, y: number): Drawing {
  const longest = Math.max(...values.map(({ value }) => value));
  const elements = values.flatMap(({ product, value }, index) => {
    const length = Math.max(1, (value / longest) * barWidth);
    const top = y + index * barHeight;
    const figure = unit === 'ms' ? `${value.toFixed(2)} ms` : inFull(value);
    return [
      `<rect x="${labelWidth}" y="${top}" width="${length.toFixed(1)}" height="${barHeight - 2}" fill="${shown[product].colour}"/>`,
      textAt(labelWidth + length + 6, top + barHeight - 4, `${shown[product].name} ${figure}`),
    ];
  });
  return { elements, height: values.length * barHeight };
}

function curvesOf({ values }: Result, y: number): Drawing {
  const most = Math.max(...values.flatMap(({ curve = [] }) => curve));
  const bottom = y + curveHeight;
  const elements = values.flatMap(({ product, curve = [] }) => {
    const heights = curve.map((rate) => bottom - (rate / most) * curveHeight);
    const points = heights.map((height, part) => `${(labelWidth + (part * barWidth) / Math.max(1, curve.length - 1)).toFixed(1)},${height.toFixed(1)}`);
    const last = curve.at(-1);
    return [
      `<polyline points="${points.join(' ')}" fill="none" stroke="${shown[product].colour}" stroke-width="2"/>`,
      ...(last === undefined ? [] : [textAt(labelWidth + barWidth + 6, (heights.at(-1) ?? bottom) + 3, `${shown[product].name} ${inFull(last)}`)]),
    ];
  });
  return { elements: [`<path d="M${labelWidth} ${bottom}h${barWidth}" stroke="#d0d7de"/>`, ...elements], height: curveHeight };
}

function labelOf(result: Result, y: number): readonly string[] {
  const place = `x="${labelWidth - 10}" text-anchor="end"`;
  // The title of a curve goes on with what was made of it.
  const [title, below] = result.line === 'curve' ? [result.title.replace(/:.*/, ''), 'jobs/s as time goes on'] : [result.title, comparedToBest(result)];
  const small = below === '' ? [] : [`<text ${place} y="${y + 13}" font-size="10">${below}</text>`];
  return [`<text ${place} y="${y}">${escaped(title)}</text>`, ...small];
}

function comparedToBest(result: Result): string {
  const { best } = ratios(result);
  if (best === undefined) return '';
  return result.unit === 'ms' ? `${(1 / best).toFixed(2)} × as long as the best peer` : `${best.toFixed(2)} × the best peer`;
}

function textAt(x: number, y: number, text: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="10">${escaped(text)}</text>`;
}

function inFull(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
