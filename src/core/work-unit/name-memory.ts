/** How many adds without an existing name it takes until those of a spec count as new again. */
const calmAdds = 32;

/** How many specs a process keeps in mind. */
const mostRemembered = 10_000;

/**
 * Of which specs the names that this process adds are likely to be new: all, but those where it met an existing one lately. Adding what was
 * taken for new costs a second statement if it is not, and leaves dead rows behind if that came out late; adding what may exist costs half as much
 * again, always.
 */
export class NameMemory {
  /** By spec id: how many adds without an existing name are missing. */
  readonly #missing = new Map<number, number>();

  areLikelyNew(specId: number): boolean {
    return !this.#missing.has(specId);
  }

  /** Says what an add that was prepared for existing names has met. */
  added(specId: number, { metExisting }: { readonly metExisting: boolean }): void {
    const missing = metExisting ? calmAdds : (this.#missing.get(specId) ?? 0) - 1;
    if (missing <= 0) this.#missing.delete(specId);
    else {
      if (this.#missing.size >= mostRemembered) this.#missing.clear();
      this.#missing.set(specId, missing);
    }
  }
}
