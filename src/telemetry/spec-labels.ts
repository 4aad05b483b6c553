/** The labels that say which work spec a value is about. */
export interface SpecLabel {
  readonly namespace: string;
  /** Empty: all that there was no room for. No work spec has an empty name. */
  readonly work_spec: string;
}

/**
 * Bounds how many series there can be: whoever may define work specs could otherwise fill the memory of this process, and of Prometheus. The
 * first so many specs get labels of their own, the others share one, without a namespace.
 */
export class SpecLabels {
  readonly #most: number;
  readonly #known = new Map<string, Map<string, SpecLabel>>();
  readonly #others: SpecLabel = { namespace: '', work_spec: '' };
  #count = 0;

  constructor(most: number) {
    this.#most = most;
  }

  of(namespace: string, workSpec: string): SpecLabel {
    const known = this.#known.get(namespace)?.get(workSpec);
    if (known !== undefined) return known;
    if (this.#count >= this.#most) return this.#others;
    const label = { namespace, work_spec: workSpec };
    const ofNamespace = this.#known.get(namespace) ?? new Map<string, SpecLabel>();
    this.#known.set(namespace, ofNamespace.set(workSpec, label));
    this.#count++;
    return label;
  }
}
