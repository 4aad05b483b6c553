/** How long what has come since waits for a trip under way, to go together, before it goes beside it. */
const patienceMs = 50;

/**
 * When those go who do the same, so that many share one round trip and one commit, and one alone waits no longer than without this. The first
 * goes at once, with those that the same turn of the event loop brings; what comes while it is under way goes together as the next.
 */
export class Turns {
  readonly #go: () => void;
  #underWay = 0;
  /** Of those under way, how many the next still waits for. */
  #awaited = 0;
  #isScheduled = false;

  /** `go` begins the next trip, if there is anything to be sent. */
  constructor(go: () => void) {
    this.#go = go;
  }

  get isIdle(): boolean {
    return this.#underWay === 0;
  }

  /** Says that there may be something to be sent. */
  schedule(): void {
    if (this.#isScheduled || this.#awaited > 0) return;
    this.#isScheduled = true;
    // Not a microtask: of requests that come in together, each by a connection of its own, the first would then go alone.
    setImmediate(() => {
      this.#isScheduled = false;
      this.#goNext();
    });
  }

  /** Counts a trip as under way until what this returns is called. */
  begin(): () => void {
    this.#underWay++;
    this.#awaited++;
    let isAwaited = true;
    const endWait = (): void => {
      if (!isAwaited) return;
      isAwaited = false;
      this.#awaited--;
    };
    const patience = setTimeout(() => {
      endWait();
      this.#goNext();
    }, patienceMs);
    return () => {
      clearTimeout(patience);
      this.#underWay--;
      endWait();
      this.#goNext();
    };
  }

  #goNext(): void {
    if (this.#awaited === 0) this.#go();
  }
}
