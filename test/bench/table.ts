/** Prints rows as a Markdown table. */
export function printTable(title: string, columns: readonly string[], rows: readonly (readonly (string | number)[])[]): void {
  console.log(`\n### ${title}\n`);
  console.log(`| ${columns.join(' | ')} |`);
  console.log(`| ${columns.map(() => '---').join(' | ')} |`);
  for (const row of rows) console.log(`| ${row.map((cell) => show(cell)).join(' | ')} |`);
}

function show(cell: string | number): string {
  return typeof cell === 'number' ? Math.round(cell).toLocaleString('en') : cell;
}

/** A share as a percentage. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}
