/* Workers that do everything to attempts that can be done. Run by one-holder.test.ts. */
import {
  LostLeaseError,
  NotPendingError,
  type Attempt,
  type Coordinate,
  type Namespace,
  type Worker,
  type WorkUnit,
} from '../../src/index.js';
import { connectTo, type NamespacePlace } from './place.js';
import { serveTasks } from './serve-tasks.js';

/** What a worker knows, to be held against what the database wrote down. */
export interface Handout {
  readonly number: number;
  readonly workSpec: string;
  readonly name: string;
}

export interface Known {
  /** Every attempt that was handed out or forced. */
  readonly handouts: readonly Handout[];
  /** Numbers of attempts whose end was accepted, by how they ended. */
  readonly accepted: Readonly<Record<'finished' | 'failed', readonly number[]>>;
}

interface WorkPlace extends NamespacePlace {
  readonly connections: number;
  readonly specs: readonly string[];
  readonly units: number;
}

const tasks = {
  async work({ steps, ...place }: WorkPlace & { steps: number }): Promise<Known[]> {
    return Promise.all(
      Array.from({ length: place.connections }, async (_, index) => {
        await using coordinate = await connectTo(place, { pool: { max: 2 } });
        return await new RandomWorker(coordinate, place, `worker ${process.pid} ${index}`).work(steps);
      }),
    );
  },
};

export type OneHolderTasks = typeof tasks;

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;

class RandomWorker {
  readonly #coordinate: Coordinate;
  readonly #place: WorkPlace;
  readonly #name: string;
  readonly #handouts: Handout[] = [];
  readonly #accepted = { finished: [] as number[], failed: [] as number[] };
  #held: Attempt[] = [];

  constructor(coordinate: Coordinate, place: WorkPlace, name: string) {
    this.#coordinate = coordinate;
    this.#place = place;
    this.#name = name;
  }

  async work(steps: number): Promise<Known> {
    const namespace = await this.#coordinate.namespace(this.#place.namespace);
    const worker = await namespace.worker(this.#name);
    for (let step = 0; step < steps; step++) await this.#act(namespace, worker);
    return { handouts: this.#handouts, accepted: this.#accepted };
  }

  async #act(namespace: Namespace, worker: Worker): Promise<void> {
    const choice = Math.random();
    if (this.#held.length < 5 || choice < 0.2) return this.#claim(worker);
    if (choice < 0.3) return this.#force(namespace, worker);
    if (choice < 0.4) return (await this.#anyUnit(namespace)).clearActiveAttempt();
    if (choice < 0.6) return this.#endMany(namespace);
    return this.#endOne();
  }

  async #claim(worker: Worker): Promise<void> {
    const attempts = await worker.requestAttempts({
      // Now and then so many that they come in ranges.
      numberOfWorkUnits: 1 + Math.floor(Math.random() * (Math.random() < 0.1 ? 150 : 50)),
      // Some expire under their holder, or before they have arrived.
      lifetimeMs: Math.random() < 0.3 ? Math.random() * 30 : 60_000,
    });
    this.#take(attempts);
    // Many are never heard of again, but for their expiry.
    this.#held = this.#held.slice(-100);
  }

  async #force(namespace: Namespace, worker: Worker): Promise<void> {
    this.#take([await worker.makeAttempt(await this.#anyUnit(namespace), Math.random() < 0.5 ? 10 : 60_000)]);
  }

  #take(attempts: readonly Attempt[]): void {
    this.#held.push(...attempts);
    for (const { number, workUnit } of attempts) {
      this.#handouts.push({ number, workSpec: workUnit.workSpec.name, name: workUnit.name });
    }
  }

  /** One of a few half of the time: those meet several workers at once. */
  async #anyUnit(namespace: Namespace): Promise<WorkUnit> {
    const index = Math.floor(Math.random() * (Math.random() < 0.5 ? 3 : this.#place.units));
    return (await namespace.workSpec(pick(this.#place.specs))).workUnit(`unit ${index}`);
  }

  async #endMany(namespace: Namespace): Promise<void> {
    const reports = this.#held.splice(0, 1 + Math.floor(Math.random() * 50)).map((attempt) => ({ attempt }));
    const ended = Math.random() < 0.5 ? 'finished' : 'failed';
    const verdicts = await (ended === 'finished' ? namespace.finishAll(reports) : namespace.failAll(reports));
    for (const { attempt, error } of verdicts) {
      if (error === null) this.#accepted[ended].push(attempt.number);
      else expectLost(error);
    }
  }

  async #endOne(): Promise<void> {
    const attempt = pick(this.#held);
    const action = pick(['finish', 'fail', 'retry', 'expire', 'renew'] as const);
    try {
      if (action === 'retry') await attempt.retry({ retried: true }, Math.random() * 20);
      else if (action === 'renew') await attempt.renew(Math.random() < 0.5 ? 10 : 60_000);
      else await attempt[action]();
      if (action === 'finish') this.#accepted.finished.push(attempt.number);
      if (action === 'fail') this.#accepted.failed.push(attempt.number);
    } catch (error) {
      expectLost(error);
    }
    if (action !== 'renew') this.#held = this.#held.filter((other) => other !== attempt);
  }
}

/** The only errors that a report may meet here. */
function expectLost(error: unknown): void {
  if (!(error instanceof NotPendingError || error instanceof LostLeaseError)) throw error;
}

serveTasks(tasks);
