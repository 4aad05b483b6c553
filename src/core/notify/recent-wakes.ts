/** How many namespaces are remembered at most. */
const mostRemembered = 1_000;

/** In which namespaces the last look for who waits has found somebody in another process: the next is likely to as well. */
export class RecentWakes {
  readonly #namespaces = new Set<number>();

  isLikely(namespaceId: number): boolean {
    return this.#namespaces.has(namespaceId);
  }

  note(namespaceId: number, { woken }: { readonly woken: boolean }): void {
    this.#namespaces.delete(namespaceId);
    if (!woken) return;
    const [oldest] = this.#namespaces;
    if (oldest !== undefined && this.#namespaces.size >= mostRemembered) this.#namespaces.delete(oldest);
    this.#namespaces.add(namespaceId);
  }
}
