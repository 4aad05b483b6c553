import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the example is to find out, written a second time in another way, without a queue: for the test to compare. */
export async function countIndependently(folder: string): Promise<unknown> {
  const names = await readdir(folder, { recursive: true });
  const paths = names.filter((name) => /\.(md|txt)$/.test(name) && !name.startsWith('node_modules'));
  const text = (await Promise.all(paths.map((path) => readFile(join(folder, path), 'utf8')))).join('\n');
  const links = text.match(/https?:\/\/[^\s<>"'`()[\]{}|\\]+/gi) ?? [];
  const hosts = links.map((link) => /^https?:\/\/([^/]+)/.exec(link)![1]!.toLowerCase());
  const words = links
    .reduce((rest, link) => rest.replace(link, ' '), text)
    .toLowerCase()
    .split(/[^\p{L}\p{M}]+/u)
    .filter((word) => word !== '');
  return {
    files: paths.length,
    words: words.length,
    distinctWords: new Set(words).size,
    topWords: top(words),
    links: links.length,
    distinctHosts: new Set(hosts).size,
    topHosts: top(hosts),
  };
}

function top(names: readonly string[]): { name: string; count: number }[] {
  const distinct = [...new Set(names)].sort();
  const counted = distinct.map((name) => ({ name, count: names.filter((other) => other === name).length }));
  return counted.sort((a, b) => b.count - a.count).slice(0, 15);
}
