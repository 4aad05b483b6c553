import type { Namespace } from '../core/namespace/namespace.js';
import { workUnitStatuses, type WorkUnitStatus } from '../core/work-unit/work-unit-status.js';
import { countOf, countText, timeText } from './count-text.js';
import type { Output } from './output.js';
import { readEach } from './several.js';
import { shownName } from './shown-name.js';
import { tableText } from './table.js';

/** What `top` can sort by. */
export const sortOrders = ['name', ...workUnitStatuses, 'rate'] as const;
export type SortOrder = (typeof sortOrders)[number];

export interface TopSpec {
  readonly name: string;
  readonly paused: boolean;
  readonly counts: Partial<Record<WorkUnitStatus, number>>;
  /** How many units have ended in a second since the last look; null at the first. */
  readonly rate: number | null;
  /** How long a unit has been available at most, in milliseconds; null if none is. */
  readonly waitingMs: number | null;
}

/** What there was to see at one moment. */
export class Top {
  constructor(
    readonly specs: readonly TopSpec[],
    readonly workers: number,
    readonly at: number,
  ) {}

  sorted(order: SortOrder): TopSpec[] {
    if (order === 'name') return [...this.specs];
    const figure = ({ counts, rate }: TopSpec): number => (order === 'rate' ? (rate ?? 0) : (counts[order] ?? 0));
    return [...this.specs].sort((a, b) => figure(b) - figure(a));
  }

  withPaused(name: string, paused: boolean): Top {
    return new Top(
      this.specs.map((spec) => (spec.name === name ? { ...spec, paused } : spec)),
      this.workers,
      this.at,
    );
  }
}

export interface TopState {
  readonly sort: SortOrder;
  /** Which line is chosen. */
  readonly chosen: number;
  readonly message: string;
  readonly top: Top | null;
}

/** Nobody counts more workers than this with their eyes. */
const mostWorkers = 1_000;

/** Looks at the work specs; what they were at the last look gives the rates. */
export async function readTop(namespace: Namespace, before: Top | null): Promise<Top> {
  const counts = new Map<string, Partial<Record<WorkUnitStatus, number>>>();
  for (const { workSpec, status, count } of await namespace.summarize()) counts.set(workSpec, { ...counts.get(workSpec), [status]: count });
  const at = performance.now();
  const waiting = new Map((await namespace.oldestWaiting()).map(({ workSpec, seconds }) => [workSpec, seconds * 1_000]));
  const specs = await readEach(await namespace.workSpecNames(), async (name): Promise<TopSpec> => {
    const spec = await namespace.workSpec(name);
    const { paused } = await spec.meta();
    const own = counts.get(name) ?? {};
    const earlier = before?.specs.find((one) => one.name === name);
    const rate = before === null || earlier === undefined ? null : Math.max(0, ended(own) - ended(earlier.counts)) / ((at - before.at) / 1_000);
    return { name, paused, counts: own, rate, waitingMs: waiting.get(name) ?? null };
  });
  const workers = await namespace.workers({ activeOnly: true, limit: mostWorkers });
  return new Top(specs, workers.length, at);
}

function ended({ finished = 0, failed = 0 }: Partial<Record<WorkUnitStatus, number>>): number {
  return finished + failed;
}

export function topText({ top, sort, chosen, message }: TopState, output: Output): string {
  if (top === null) return '';
  const rates = top.specs.reduce((sum, { rate }) => sum + (rate ?? 0), 0);
  const workers = top.workers === mostWorkers ? `${countText(mostWorkers)} or more active workers` : countOf(top.workers, 'active worker');
  const head = `${countOf(top.specs.length, 'work spec')}, ${workers}, ${countText(rates)} units per second`;
  const columns = ['', 'work spec', ...workUnitStatuses, 'per second', 'time left', 'oldest'];
  const sorted = { name: 'work spec', rate: 'per second' }[sort as string] ?? sort;
  const titles = columns.map((title, index) => ({ title: title === sorted ? `${title}*` : title, right: index > 1 }));
  const rows = top.sorted(sort).map(({ name, paused, counts, rate, waitingMs }, index) => [
    index === chosen ? '>' : '',
    `${shownName(name)}${paused ? ' (paused)' : ''}`,
    ...workUnitStatuses.map((status) => countText(counts[status] ?? 0)),
    rate === null ? '-' : countText(rate),
    rate === null || rate === 0 ? '-' : timeText(((counts.available ?? 0) / rate) * 1_000),
    waitingMs === null ? '-' : timeText(waitingMs),
  ]);
  const [header = '', ...lines] = tableText(titles, rows).split('\n');
  const table = [output.styled('inverse', header), ...lines].join('\n');
  const keys = output.isTerminal ? '\nup, down: choose   p: pause or run   s: sort   q: end' : '';
  return `${head}\n${table}${message === '' ? '' : `\n${message}`}${keys}`;
}
