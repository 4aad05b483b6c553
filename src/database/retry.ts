import pRetry from 'p-retry';
import { RetriesExhaustedError } from '../errors/index.js';
import { isRetryable, sqlState } from './translate-error.js';

/** How a transaction that collides with others is tried again. */
export interface RetryOptions {
  /** How often at most, after the first try. @default 20 */
  readonly retries: number;
  /** The first pause, in milliseconds; each further one is twice as long, times a random factor of 1 to 2. @default 2 */
  readonly minDelayMs: number;
  /** The longest pause, in milliseconds. @default 250 */
  readonly maxDelayMs: number;
}

export const defaultRetryOptions: RetryOptions = Object.freeze({ retries: 20, minDelayMs: 2, maxDelayMs: 250 });

/** What a connection's transactions have met since it was made. */
export interface TransactionStatistics {
  /** Transactions committed. */
  readonly committed: number;
  /** Tries that ended with 40001. */
  readonly serializationFailures: number;
  /** Tries that ended with 40P01. */
  readonly deadlocks: number;
  /** Transactions given up after all their retries. */
  readonly exhausted: number;
}

type Counters = { -readonly [Key in keyof TransactionStatistics]: TransactionStatistics[Key] };

type Outcome<T> = { readonly value: T } | { readonly error: unknown };

/** Runs transactions again for as long as they fail by colliding with others, and counts. */
export class Retrier {
  readonly #options: RetryOptions;
  readonly #counters: Counters = { committed: 0, serializationFailures: 0, deadlocks: 0, exhausted: 0 };

  readonly #isOwn: (error: unknown) => boolean;

  /** `isOwn` says whether an error is one of the transaction's statements, and not something that the caller's code has thrown. */
  constructor(options: RetryOptions, isOwn: (error: unknown) => boolean = () => true) {
    this.#options = options;
    this.#isOwn = isOwn;
  }

  get statistics(): TransactionStatistics {
    return { ...this.#counters };
  }

  /** Raises RetriesExhausted, the reason of an aborted signal, or what `attempt` raised if trying again cannot help. */
  async run<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    let outcome: Outcome<T> | undefined;
    let failure: unknown;
    try {
      outcome = await this.#tryOnce(attempt);
    } catch (error) {
      failure = error;
    }
    // Only once the first try has failed, which is rare, is anything set up for more.
    return unwrap(outcome ?? (await this.#tryAgain(failure, attempt, signal)));
  }

  async #tryAgain<T>(failure: unknown, attempt: () => Promise<T>, signal: AbortSignal | undefined): Promise<Outcome<T>> {
    let outcome: Outcome<T> | undefined;
    const tryOnce = async (number: number): Promise<void> => {
      if (number === 1) throw failure;
      outcome = await this.#tryOnce(attempt);
    };
    try {
      await pRetry(tryOnce, {
        retries: this.#options.retries,
        minTimeout: this.#options.minDelayMs,
        maxTimeout: this.#options.maxDelayMs,
        randomize: true,
        ...(signal && { signal }),
      });
    } catch (error) {
      // A signal that fires once the transaction has been committed does not make it undone.
      if (outcome !== undefined) return outcome;
      if (!isRetryable(error)) throw error;
      this.#counters.exhausted++;
      throw new RetriesExhaustedError(this.#options.retries + 1, { cause: error });
    }
    return outcome as unknown as Outcome<T>;
  }

  /** Throws what is worth another try; anything else is an outcome (p-retry wants to see nothing but Errors). */
  async #tryOnce<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
    try {
      const value = await attempt();
      this.#counters.committed++;
      return { value };
    } catch (error) {
      if (!isRetryable(error) || !this.#isOwn(error)) return { error };
      if (sqlState(error) === '40001') this.#counters.serializationFailures++;
      else this.#counters.deadlocks++;
      throw error;
    }
  }
}

function unwrap<T>(outcome: Outcome<T>): T {
  if ('error' in outcome) throw outcome.error;
  return outcome.value;
}
