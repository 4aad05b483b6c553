import type { Ranked, Result } from './tally.js';

/** The result as text. */
export function resultText(result: Result): string {
  const { files, links, distinctHosts, topHosts, words, distinctWords, topWords } = result;
  return [
    `${number(links)} links in ${number(files)} files lead to ${number(distinctHosts)} hosts. Most often:`,
    ...topHosts.map(line),
    '',
    `${number(words)} words, of which ${number(distinctWords)} are different. Most often:`,
    ...topWords.map(line),
  ].join('\n');
}

function line({ name, count }: Ranked): string {
  return `${number(count).padStart(9)}  ${name}`;
}

function number(value: number): string {
  return value.toLocaleString('en');
}
