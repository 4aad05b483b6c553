import { randomUUID } from 'node:crypto';
import { ManualClock } from '../../clock/index.js';
import type { Coordinate } from '../../core/coordinate.js';
import type { ConformanceCase } from './conformance-case.js';

/** How the cases reach the implementation. */
export interface ConformanceOptions {
  /** Connects to the backend under test. Every call must reach the same one, or leave out the cases that need a shared backend. */
  connect(options: { clock: ManualClock; random: () => number }): Promise<Coordinate>;
  /** Set for a client that speaks over a wire: deleted objects may then raise NoSuch… instead of Gone. @default false */
  readonly overTheWire?: boolean;
  /**
   * The cases to run, such as `conformanceCases.filter(({ needsSharedBackend }) => !needsSharedBackend)` for an implementation whose
   * every connection is a backend of its own. @default conformanceCases
   */
  readonly cases?: readonly ConformanceCase[];
}

/**
 * Runs cases one after another over one connection, opened by the first: connecting to a database costs more than most cases.
 * Clock and random numbers start anew with each.
 */
export class ConformanceSession {
  readonly #options: ConformanceOptions;
  readonly #clock = new ManualClock();
  readonly #start = this.#clock.now();
  #random = seededRandom();
  #coordinate: Promise<Coordinate> | null = null;

  constructor(options: ConformanceOptions) {
    this.#options = options;
  }

  /** Raises what the case raised. */
  async run(conformanceCase: ConformanceCase): Promise<void> {
    this.#clock.set(this.#start);
    this.#random = seededRandom();
    this.#coordinate ??= this.#connect();
    const coordinate = await this.#coordinate;
    const namespace = await coordinate.namespace(`conformance ${randomUUID()}`);
    const others: Coordinate[] = [];
    try {
      await conformanceCase.run({
        coordinate,
        namespace,
        clock: this.#clock,
        overTheWire: this.#options.overTheWire ?? false,
        connect: async () => {
          const other = await this.#connect();
          others.push(other);
          return other;
        },
        setRandom: (next) => {
          this.#random = next;
        },
      });
    } finally {
      await Promise.all(others.map((other) => other.close()));
      await namespace.destroy();
    }
  }

  /** Closes the connection. Idempotent; tolerates that no case was run. */
  async close(): Promise<void> {
    const coordinate = this.#coordinate;
    this.#coordinate = null;
    await (await coordinate)?.close();
  }

  #connect(): Promise<Coordinate> {
    return this.#options.connect({ clock: this.#clock, random: () => this.#random() });
  }
}

/** mulberry32: small, even enough, and the same numbers each time, so that a failure comes back when the case is run again. */
function seededRandom(): () => number {
  let state = 0x5eed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
