/** Signals of the process upon which a worker stops. The same signal a second time ends the process at once, as it would without. */
export class StopSignals {
  readonly #signals: readonly NodeJS.Signals[];
  readonly #onFirst: () => void;
  readonly #received = new Set<NodeJS.Signals>();

  constructor(signals: readonly NodeJS.Signals[], onFirst: () => void) {
    this.#signals = signals;
    this.#onFirst = onFirst;
  }

  listen(): void {
    for (const signal of this.#signals) process.on(signal, this.#receive);
  }

  close(): void {
    for (const signal of this.#signals) process.off(signal, this.#receive);
  }

  readonly #receive = (signal: NodeJS.Signals): void => {
    if (!this.#received.has(signal)) {
      this.#received.add(signal);
      this.#onFirst();
      return;
    }
    // Unless others listen too, the signal does what it does by default.
    this.close();
    process.kill(process.pid, signal);
  };
}
