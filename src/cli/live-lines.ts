import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkUnitStatus } from '../core/work-unit/work-unit-status.js';
import { countText } from './count-text.js';
import { shownName } from './shown-name.js';
import type { StatusArea } from './status-area.js';
import { tableText } from './table.js';

/** How often the lines are drawn again. */
const periodMs = 1_000;

type Counts = Partial<Record<WorkUnitStatus, number>>;

/** A line for each work spec that there is a handler for: how many units have which status, and how many end in a second. */
export class LiveLines {
  readonly #namespace: Namespace;
  readonly #handlers: readonly string[];
  readonly #area: StatusArea;
  readonly #isHandled = new Map<string, boolean>();
  #timer: NodeJS.Timeout | undefined;
  #drawing: Promise<void> = Promise.resolve();
  #before: { readonly at: number; readonly ended: ReadonlyMap<string, number> } | undefined;

  constructor(namespace: Namespace, handlers: readonly string[], area: StatusArea) {
    this.#namespace = namespace;
    this.#handlers = handlers;
    this.#area = area;
  }

  start(): void {
    this.#timer = setInterval(() => {
      this.#drawing = this.#drawing.then(() => this.#draw());
    }, periodMs);
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#drawing;
    await this.#area.close();
  }

  /** How things stand, as sentences. */
  async result(): Promise<string[]> {
    const specs = await this.#read();
    return [...specs].map(([name, { available = 0, delayed = 0, pending = 0, finished = 0, failed = 0 }]) => {
      const parts = [`${countText(finished)} finished`, `${countText(failed)} failed`, `${countText(available)} available`];
      if (delayed > 0) parts.push(`${countText(delayed)} delayed`);
      if (pending > 0) parts.push(`${countText(pending)} pending`);
      return `${shownName(name)}: ${parts.join(', ')}`;
    });
  }

  /** A line that cannot be drawn is drawn a second later; the work is what matters. */
  async #draw(): Promise<void> {
    const specs = await this.#read().catch(() => null);
    if (specs === null || specs.size === 0) return;
    const at = performance.now();
    const ended = new Map([...specs].map(([name, { finished = 0, failed = 0 }]) => [name, finished + failed]));
    const rows = [...specs].map(([name, counts]) => [
      shownName(name),
      ...(['available', 'delayed', 'pending', 'finished', 'failed'] as const).map((status) => countText(counts[status] ?? 0)),
      this.#rate(name, ended.get(name) ?? 0, at),
    ]);
    this.#before = { at, ended };
    const columns = ['work spec', 'available', 'delayed', 'pending', 'finished', 'failed', 'per second'];
    await this.#area.draw(tableText(columns.map((title, index) => ({ title, right: index > 0 })), rows));
  }

  #rate(name: string, ended: number, at: number): string {
    if (this.#before === undefined) return '-';
    const since = (at - this.#before.at) / 1_000;
    return countText(Math.max(0, ended - (this.#before.ended.get(name) ?? ended)) / since);
  }

  async #read(): Promise<Map<string, Counts>> {
    const specs = new Map<string, Counts>();
    for (const { workSpec, status, count } of await this.#namespace.summarize()) {
      if (!(await this.#handled(workSpec))) continue;
      specs.set(workSpec, { ...specs.get(workSpec), [status]: count });
    }
    return specs;
  }

  async #handled(name: string): Promise<boolean> {
    const known = this.#isHandled.get(name);
    if (known !== undefined) return known;
    const isHandled = this.#handlers.includes(name) || this.#handlers.includes(String((await (await this.#namespace.workSpec(name)).data()).task));
    this.#isHandled.set(name, isHandled);
    return isHandled;
  }
}
