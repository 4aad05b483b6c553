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

const [width, labelWidth, barHeight, gap] = [900, 330, 13, 14];
const barWidth = width - labelWidth - 130;

/** A group of bars for each line, each drawn to the scale of its longest; as text, for a README. */
export function plotOf(results: readonly Result[]): string {
  const drawn: string[] = [];
  let y = gap;
  for (const result of results) {
    const longest = Math.max(...result.values.map(({ value }) => value));
    const { best } = ratios(result);
    const top = y;
    for (const { product, value } of result.values) {
      const length = Math.max(1, (value / longest) * barWidth);
      const shown = result.unit === 'ms' ? `${value.toFixed(2)} ms` : Math.round(value).toLocaleString('en');
      drawn.push(
        `<rect x="${labelWidth}" y="${y}" width="${length.toFixed(1)}" height="${barHeight - 2}" fill="${colours[product] ?? '#000'}"/>`,
        `<text x="${(labelWidth + length + 6).toFixed(1)}" y="${y + barHeight - 4}" font-size="10">${product} ${shown}</text>`,
      );
      y += barHeight;
    }
    const middle = (top + y) / 2;
    drawn.push(`<text x="${labelWidth - 10}" y="${middle}" text-anchor="end">${escape(result.title)}</text>`);
    if (best !== undefined) {
      const comparison = `${best.toFixed(2)} × the best peer`;
      drawn.push(`<text x="${labelWidth - 10}" y="${middle + 13}" text-anchor="end" font-size="10">${comparison}</text>`);
    }
    y += gap;
  }
  const style = 'font-family="system-ui, sans-serif" font-size="12" fill="#57606a"';
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${y}" ${style}>\n${drawn.join('\n')}\n</svg>\n`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
