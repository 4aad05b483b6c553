/** For how long what waits in another way than claimFreshUnits claims is taken to go on doing so, in milliseconds. */
const notFreshForMs = 1_000;

/** How many specs a process keeps in mind. */
const mostRemembered = 10_000;

interface KnownSpec {
  readonly id: number;
  readonly namespaceId: number;
  /** Whether the last claim left nothing that can be had: then the next request looks before it claims. */
  isDry: boolean;
  /** Whether something was added since there was nothing left. */
  isWoken: boolean;
  /** Until when it is not worth it to claim what is fresh first, by performance.now(): what there is waits in another way. */
  notFreshUntil: number;
}

/**
 * Specs that requests have named as their only one. There is nothing to choose then: if the spec's id is known and it had work a moment
 * ago, a request claims without a look, and the claim itself checks whatever the look would have. An id is never given twice, so one that is
 * out of date claims nothing.
 */
export class DirectClaims {
  readonly #specs = new Map<string, KnownSpec>();
  #wakes = 0;

  /** How often it was said that there may be work. */
  get wakes(): number {
    return this.#wakes;
  }

  /** A spec that is worth a claim, and whether what was added since there was nothing is worth one of its own; undefined: look. */
  get(namespaceId: number, name: string): { readonly id: number; readonly isWoken: boolean } | undefined {
    const spec = this.#specs.get(keyOf(namespaceId, name));
    if (spec?.isDry !== false) return undefined;
    return { id: spec.id, isWoken: spec.isWoken && performance.now() >= spec.notFreshUntil };
  }

  /** Whether the last claim of a spec left nothing that can be had, as far as is known, and nobody has said since that there may be something. */
  isDry(namespaceId: number, name: string): boolean {
    return this.#specs.get(keyOf(namespaceId, name))?.isDry === true;
  }

  /** Says whether a look has found nothing that can be had. It counts only if nobody has said anything since it began, when there were so many `wakes`. */
  looked(namespaceId: number, name: string, { isDry, wakes }: { readonly isDry: boolean; readonly wakes: number }): void {
    const spec = this.#specs.get(keyOf(namespaceId, name));
    if (spec !== undefined && wakes === this.#wakes) spec.isDry = isDry;
  }

  /** Says whether such a claim was of use. */
  lookedFresh(namespaceId: number, name: string, { isUseful }: { readonly isUseful: boolean }): void {
    const spec = this.#specs.get(keyOf(namespaceId, name));
    if (spec !== undefined) spec.notFreshUntil = isUseful ? 0 : performance.now() + notFreshForMs;
  }

  /** Says how a claim came out. */
  claimed(namespaceId: number, name: string, id: number, { isDry }: { readonly isDry: boolean }): void {
    if (this.#specs.size >= mostRemembered) this.#specs.clear();
    const key = keyOf(namespaceId, name);
    this.#specs.set(key, { id, namespaceId, isDry, isWoken: false, notFreshUntil: this.#specs.get(key)?.notFreshUntil ?? 0 });
  }

  /** Says that there may be work again in a namespace. */
  woken(namespaceId: number): void {
    this.#wakes++;
    for (const spec of this.#specs.values()) {
      if (spec.namespaceId !== namespaceId) continue;
      spec.isWoken ||= spec.isDry;
      spec.isDry = false;
    }
  }
}

function keyOf(namespaceId: number, name: string): string {
  return `${namespaceId} ${name}`;
}
