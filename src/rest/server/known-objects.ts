import type { Namespace } from '../../core/namespace/namespace.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { Worker } from '../../core/worker/worker.js';

/** What was found in a namespace, by name. */
interface KnownNamespace {
  readonly namespace: Namespace;
  readonly specs: Map<string, WorkSpec>;
  readonly workers: Map<string, Worker>;
}

/** What an object is taken for beside its name, in characters. */
const objectSize = 500;

/** How much is kept at most, in characters; then all is forgotten. Names are whatever clients come up with, as long as they like. */
const mostKept = 10_000_000;

/**
 * Namespaces, work specs and workers that requests have named before, so that they need not be looked up for each request again. What has been
 * destroyed since, here or elsewhere, raises Gone whatever is done with it, and has then done nothing: whoever uses this forgets
 * the namespace then, and begins anew. So only for what is asked of the database: an object alone says nothing about whether it is still there.
 */
export class KnownObjects {
  readonly #namespaces = new Map<string, KnownNamespace>();
  #kept = 0;

  async namespace(name: string, find: () => Promise<Namespace>): Promise<Namespace> {
    return (await this.#known(name, find)).namespace;
  }

  /** Raises NoSuchWorkSpec. */
  async workSpec(namespaceName: string, name: string, find: () => Promise<Namespace>): Promise<WorkSpec> {
    const { namespace, specs } = await this.#known(namespaceName, find);
    return specs.get(name) ?? this.#keep(specs, name, await namespace.workSpec(name));
  }

  async worker(namespaceName: string, name: string, find: () => Promise<Namespace>): Promise<Worker> {
    const { namespace, workers } = await this.#known(namespaceName, find);
    return workers.get(name) ?? this.#keep(workers, name, await namespace.worker(name));
  }

  /** Whether there was anything to be forgotten. */
  forget(namespaceName: string): boolean {
    return this.#namespaces.delete(namespaceName);
  }

  async #known(name: string, find: () => Promise<Namespace>): Promise<KnownNamespace> {
    const known = this.#namespaces.get(name);
    if (known !== undefined) return known;
    const namespace = await find();
    // A crowd that comes at once finds it as often; what they then find in it is kept together.
    return this.#namespaces.get(name) ?? this.#keep(this.#namespaces, name, { namespace, specs: new Map(), workers: new Map() });
  }

  #keep<Value>(values: Map<string, Value>, name: string, value: Value): Value {
    const size = objectSize + name.length;
    if (this.#kept + size > mostKept) {
      this.#namespaces.clear();
      this.#kept = 0;
    }
    this.#kept += size;
    values.set(name, value);
    return value;
  }
}
