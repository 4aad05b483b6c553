import { ratios, type Result } from './report.js';

const colours: Readonly<Record<string, string>> = {
  us: '#1f6feb',
  'us-scattered': '#79b8ff',
  graphile: '#8b949e',
  'pg-boss': '#b0b7be',
  bullmq: '#d0d4d9',
  ceiling: '#e3b341',
  'ceiling-handing-out': '#f2d98c',
};

/** Who sees the plot does not know what the options call them. */
const names: Readonly<Record<string, string>> = {
  us: 'pg-coordinate',
  'us-scattered': 'pg-coordinate, scattered names',
  graphile: 'graphile-worker',
  bullmq: 'BullMQ',
  ceiling: 'plain SQL',
  'ceiling-handing-out': 'plain SQL that locks and reads',
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
    const shown = unit === 'ms' ? `${value.toFixed(2)} ms` : inFull(value);
    return [
      `<rect x="${labelWidth}" y="${top}" width="${length.toFixed(1)}" height="${barHeight - 2}" fill="${colourOf(product)}"/>`,
      textAt(labelWidth + length + 6, top + barHeight - 4, `${nameOf(product)} ${shown}`),
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
      `<polyline points="${points.join(' ')}" fill="none" stroke="${colourOf(product)}" stroke-width="2"/>`,
      ...(last === undefined ? [] : [textAt(labelWidth + barWidth + 6, (heights.at(-1) ?? bottom) + 3, `${nameOf(product)} ${inFull(last)}`)]),
    ];
  });
  return { elements: [`<path d="M${labelWidth} ${bottom}h${barWidth}" stroke="#d0d7de"/>`, ...elements], height: curveHeight };
}

function labelOf(result: Result, y: number): readonly string[] {
  const place = `x="${labelWidth - 10}" text-anchor="end"`;
  const { best } = ratios(result);
  const compared = best === undefined ? '' : result.unit === 'ms' ? `${(1 / best).toFixed(2)} × as long as the best peer` : `${best.toFixed(2)} × the best peer`;
  // The title of a curve goes on with what was made of it.
  const [title, below] = result.line === 'curve' ? [result.title.replace(/:.*/, ''), 'jobs/s as time goes on'] : [result.title, compared];
  const small = below === '' ? [] : [`<text ${place} y="${y + 13}" font-size="10">${below}</text>`];
  return [`<text ${place} y="${y}">${escaped(title)}</text>`, ...small];
}

function textAt(x: number, y: number, text: string): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" font-size="10">${escaped(text)}</text>`;
}

function colourOf(product: string): string {
  return colours[product] ?? '#000';
}

function nameOf(product: string): string {
  return names[product] ?? product;
}

function inFull(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
