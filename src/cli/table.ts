import { stripVTControlCharacters } from 'node:util';

/** A column of a list: its title, and whether its cells stand at the right, as numbers do. */
export interface Column {
  readonly title: string;
  readonly right?: boolean;
}

/** Rows below each other, two spaces between columns; no spaces at the ends of lines. */
export function tableText(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => width(line[index] ?? ''))));
  return lines
    .map((line) => columns.map(({ right }, index) => padded(line[index] ?? '', widths[index] ?? 0, right)).join('  ').trimEnd())
    .join('\n');
}

function padded(cell: string, to: number, right = false): string {
  const space = ' '.repeat(Math.max(0, to - width(cell)));
  return right ? space + cell : cell + space;
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
