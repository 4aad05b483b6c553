import type { DataDictionary } from 'pg-coordinate';

/** Counts as they come back from the queue: a Map that was stored is read as a plain object. */
export interface TallyData extends DataDictionary {
  readonly files: number;
  readonly words: Readonly<Record<string, number>>;
  readonly hosts: Readonly<Record<string, number>>;
}

export interface Ranked {
  readonly name: string;
  readonly count: number;
}

/** The result of the job. */
export interface Result extends DataDictionary {
  readonly files: number;
  readonly words: number;
  readonly distinctWords: number;
  readonly topWords: readonly Ranked[];
  readonly links: number;
  readonly distinctHosts: number;
  readonly topHosts: readonly Ranked[];
}

const links = /https?:\/\/[^\s<>"'`()[\]{}|\\]+/giu;
const words = /[\p{L}\p{M}]+/gu;
const shown = 15;

/** How often each word and each linked-to host occurs. Sums do not depend on the order in which they are added up. */
export class Tally {
  #files = 0;
  readonly #words = new Map<string, number>();
  readonly #hosts = new Map<string, number>();

  get files(): number {
    return this.#files;
  }

  /** Counts one file, line by line. */
  async addFile(lines: AsyncIterable<string>): Promise<void> {
    this.#files++;
    for await (const line of lines) this.#addLine(line);
  }

  #addLine(line: string): void {
    for (const [link] of line.matchAll(links)) {
      if (URL.canParse(link)) increase(this.#hosts, new URL(link).hostname, 1);
    }
    // What a link is made of are no words.
    for (const [word] of line.replaceAll(links, ' ').toLowerCase().matchAll(words)) increase(this.#words, word, 1);
  }

  add({ files, words, hosts }: TallyData): void {
    this.#files += files;
    for (const [word, count] of Object.entries(words)) increase(this.#words, word, count);
    for (const [host, count] of Object.entries(hosts)) increase(this.#hosts, host, count);
  }

  /** As a work unit's data. */
  toData(): DataDictionary {
    return { files: this.#files, words: this.#words, hosts: this.#hosts };
  }

  toResult(): Result {
    return {
      files: this.#files,
      words: sum(this.#words),
      distinctWords: this.#words.size,
      topWords: rank(this.#words),
      links: sum(this.#hosts),
      distinctHosts: this.#hosts.size,
      topHosts: rank(this.#hosts),
    };
  }
}

function increase(counts: Map<string, number>, name: string, by: number): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, count) => total + count, 0);
}

/** The most frequent first; those that are equally frequent by name, so that there is one answer. */
function rank(counts: ReadonlyMap<string, number>): Ranked[] {
  return [...counts]
    .map(([name, count]) => ({ name, count }))
    .sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1))
    .slice(0, shown);
}
