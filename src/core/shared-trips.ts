import type { Database } from '../database/index.js';
import { Turns } from './turns.js';
import { maxBatchBytes } from './work-unit/unit-batch.js';

export interface SharedTripsOptions<Item, Result> {
  readonly database: Database;
  /** How many go together at most. */
  readonly most: number;
  /** How much each of them sends, in bytes, of which no more than `maxBatchBytes` go together unless one alone has more. @default nothing */
  readonly bytesOf?: (item: Item) => number;
  /** Resolves to what each comes to, in the same order; what it rejects with, all are told. */
  readonly send: (items: readonly Item[]) => Promise<readonly (Result | Promise<Result>)[]>;
}

interface Call<Item, Result> {
  readonly item: Item;
  readonly resolve: (result: Result | Promise<Result>) => void;
  readonly reject: (error: unknown) => void;
}

/** Has many callers share round trips, those of one key each with the others. */
export class SharedTrips<Item, Result> {
  readonly #options: SharedTripsOptions<Item, Result>;
  /** Those with nothing under way and nobody waiting are not in it. */
  readonly #lanes = new Map<string, (call: Call<Item, Result>) => void>();

  constructor(options: SharedTripsOptions<Item, Result>) {
    this.#options = options;
  }

  /** What is asked before the database is closed comes to its end. Raises Closed. */
  ask(key: string, item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#options.database.checkOpen();
      let join = this.#lanes.get(key);
      if (join === undefined) {
        join = this.#open(key);
        this.#lanes.set(key, join);
      }
      join({ item, resolve, reject });
    });
  }

  /** How many of those in front go together. */
  #fitting(waiting: readonly Call<Item, Result>[]): number {
    const { most, bytesOf = () => 0 } = this.#options;
    let [count, bytes] = [0, 0];
    for (const { item } of waiting) {
      bytes += bytesOf(item);
      if (count === most || (count > 0 && bytes > maxBatchBytes)) break;
      count++;
    }
    return count;
  }

  #open(key: string): (call: Call<Item, Result>) => void {
    const { database, send } = this.#options;
    const end = database.begin();
    const waiting: Call<Item, Result>[] = [];
    const turns = new Turns(() => {
      const calls = waiting.splice(0, this.#fitting(waiting));
      if (calls.length > 0) void go(calls);
      else if (turns.isIdle) {
        this.#lanes.delete(key);
        end();
      }
    });
    const go = async (calls: readonly Call<Item, Result>[]): Promise<void> => {
      const answered = turns.begin();
      try {
        const results = await database.continuing(() => send(calls.map(({ item }) => item)));
        calls.forEach(({ resolve }, index) => resolve(results[index] as Result));
        // Those that go by themselves are under way, too, for whoever closes the database.
        await Promise.allSettled(results);
      } catch (error) {
        for (const { reject } of calls) reject(error);
      }
      answered();
    };
    return (call) => {
      waiting.push(call);
      turns.schedule();
    };
  }
}
