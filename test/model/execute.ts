import { ManualClock } from '../../src/clock/index.js';
import type { Coordinate } from '../../src/core/coordinate.js';
import { memoryCoordinate } from '../reference/index.js';
import { MemoryAttempt } from '../reference/memory-attempt.js';
import { AttemptNumbers } from './attempt-numbers.js';
import type { Command, Operation } from './command.js';
import { difference, show } from './compare.js';
import { Side, type World } from './side.js';
import { snapshot } from './snapshot.js';
import { START } from './values.js';
import { errorView } from './view.js';

/** What an implementation must be given, to do as the reference does. */
export interface ModelConnection {
  readonly clock: ManualClock;
  readonly random: () => number;
}

export interface ExecuteOptions {
  readonly connect: (options: ModelConnection) => Promise<Coordinate>;
  /** The state is compared after every so many commands, and at the end. */
  readonly observeEvery: number;
}

/** How a sequence went: what was done, line by line, and where the two sides differ, or null. */
export interface Execution {
  readonly lines: readonly string[];
  readonly mismatch: string | null;
}

/** Runs one sequence on both sides, up to the first difference. */
export async function execute(commands: readonly Command[], options: ExecuteOptions): Promise<Execution> {
  const clock = new ManualClock(START);
  const world: World = { random: 0, pending: [] };
  const connection = { clock, random: () => world.random };
  const real = await options.connect(connection);
  try {
    for (const namespace of await real.namespaces()) await namespace.destroy();
    const run = new Run(new Side(real, world), new Side(memoryCoordinate(connection), world), clock, options.observeEvery);
    return { mismatch: await run.all(commands), lines: run.lines };
  } finally {
    await real.close();
  }
}

class Run {
  readonly lines: string[] = [];
  readonly #numbers = new AttemptNumbers();
  #sinceObserved = 0;
  /** The clock has moved on since anyone looked at everything: leases may be overdue. */
  #mayBeOverdue = false;

  constructor(
    readonly real: Side,
    readonly reference: Side,
    readonly clock: ManualClock,
    readonly observeEvery: number,
  ) {}

  async all(commands: readonly Command[]): Promise<string | null> {
    for (const command of commands) {
      const mismatch = await this.#step(command);
      if (mismatch !== null) return mismatch;
    }
    return this.#compareStates();
  }

  async #step(command: Command): Promise<string | null> {
    if (command.kind === 'clock-step') {
      this.clock.advance(command.ms);
      this.#mayBeOverdue = true;
      this.lines.push(String(command));
      return null;
    }
    return (await this.#compareResults(command)) ?? (this.#mustObserve(command) ? this.#compareStates() : null);
  }

  /**
   * Looking expires what is overdue, after which a late worker has lost. So while leases may be overdue nothing is observed that a
   * report does not change. Any other operation may or may not look at all that is overdue; from then on the two sides might
   * rightly differ, so everything is looked at.
   */
  #mustObserve({ isReport }: Operation): boolean {
    this.#sinceObserved += 1;
    if (this.#mayBeOverdue) return !isReport;
    return this.#sinceObserved >= this.observeEvery;
  }

  async #compareResults(operation: Operation): Promise<string | null> {
    this.reference.world.pending = this.#pendingAttempts();
    const reference = await operation.run(this.reference);
    this.lines.push(`${String(operation)}${reference === undefined ? '' : `  // ${show(reference)}`}`);
    if (isUnexpected(reference)) throw new Error(`The reference broke: ${show(reference)}\n${this.lines.join('\n')}`);
    return difference(await operation.run(this.real), reference, this.#numbers, 'result');
  }

  /** Read off the records: to ask for it would be to look. */
  #pendingAttempts(): number[] {
    return [...this.reference.made.entries()]
      .filter(([, attempt]) => attempt instanceof MemoryAttempt && attempt.record.status === 'pending')
      .map(([index]) => index);
  }

  async #compareStates(): Promise<string | null> {
    this.#sinceObserved = 0;
    this.#mayBeOverdue = false;
    const real = await snapshot(this.real.coordinate).catch(errorView);
    return difference(real, await snapshot(this.reference.coordinate), this.#numbers, 'state');
  }
}

function isUnexpected(result: unknown): boolean {
  return typeof result === 'object' && result !== null && 'unexpected' in result;
}
