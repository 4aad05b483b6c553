import type { DataDictionary } from '../codec/index.js';
import type { Namespace } from '../core/namespace/namespace.js';
import { NoSuchWorkSpecError } from '../errors/index.js';
import type { RegisteredHandler } from './registered-handler.js';

/** How old what is known of the work specs may be, in milliseconds: which there are (of who is in a hurry: as their definitions), and their definitions. */
const namesUsableMs = 1_000;
const definitionsUsableMs = 15_000;
/** How many definitions are read at once. */
const readsAtOnce = 4;

interface Known {
  readonly data: DataDictionary;
  readonly readAt: number;
}

/** What the worker knows of the namespace's work specs: their definitions, and so which handler is for which. */
export class WorkSpecCache {
  readonly #namespace: Namespace;
  readonly #handlers: ReadonlyMap<string, RegisteredHandler>;
  readonly #definitions = new Map<string, Known>();
  readonly #byTask = new Map<string, RegisteredHandler>();
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(namespace: Namespace, handlers: ReadonlyMap<string, RegisteredHandler>) {
    this.#namespace = namespace;
    this.#handlers = handlers;
  }

  /** The definition, at most 15 s old; {} if the spec is no more. */
  async definition(name: string): Promise<DataDictionary> {
    const known = this.#definitions.get(name);
    if (known !== undefined && performance.now() - known.readAt < definitionsUsableMs) return known.data;
    return this.#read(name);
  }

  /** The handler of a work spec: by its name, else by the task of its definition. */
  handlerOf(name: string): RegisteredHandler | undefined {
    return this.#handlers.get(name) ?? this.#byTask.get(name);
  }

  /** The names of the work specs to ask for, by handler. Looks for new ones now and then; who is in a hurry does so less often. */
  async specsByHandler({ inHurry = false } = {}): Promise<Map<RegisteredHandler, string[]>> {
    const known = performance.now() - this.#lookedAt;
    if (known >= (inHurry ? definitionsUsableMs : namesUsableMs)) await this.#lookForTasks();
    const specs = new Map([...this.#handlers.values()].map((handler) => [handler, [handler.name]]));
    for (const [name, handler] of this.#byTask) specs.get(handler)?.push(name);
    return specs;
  }

  /** Has the next call look for new work specs. */
  lookAgain(): void {
    this.#lookedAt = Number.NEGATIVE_INFINITY;
  }

  async #lookForTasks(): Promise<void> {
    const now = performance.now();
    this.#lookedAt = now;
    const names = (await this.#namespace.workSpecNames()).filter((name) => !this.#handlers.has(name));
    const unread = names.filter((name) => !(now - (this.#definitions.get(name)?.readAt ?? Number.NEGATIVE_INFINITY) < definitionsUsableMs));
    const readNext = async (): Promise<void> => {
      for (let name = unread.pop(); name !== undefined; name = unread.pop()) await this.#read(name);
    };
    await Promise.all(Array.from({ length: readsAtOnce }, readNext));
    for (const name of this.#definitions.keys()) if (!names.includes(name) && !this.#handlers.has(name)) this.#definitions.delete(name);
    this.#byTask.clear();
    for (const name of names) {
      const task = this.#definitions.get(name)?.data.task;
      const handler = typeof task === 'string' ? this.#handlers.get(task) : undefined;
      if (handler !== undefined) this.#byTask.set(name, handler);
    }
  }

  async #read(name: string): Promise<DataDictionary> {
    const data = await this.#namespace.workSpec(name).then(
      (spec) => spec.data(),
      (error: unknown) => {
        if (error instanceof NoSuchWorkSpecError) return {};
        throw error;
      },
    );
    this.#definitions.set(name, { data, readAt: performance.now() });
    return data;
  }
}
