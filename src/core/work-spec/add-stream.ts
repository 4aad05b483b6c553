import { maxBatchUnits, UnitBatch, type EncodedUnit } from '../work-unit/unit-batch.js';
import { StreamReader } from './stream-reader.js';

/** How a stream of units is added. */
export interface StreamPlan {
  /** Checks and encodes what came at this place of the stream. */
  readonly prepare: (item: unknown, index: number) => EncodedUnit | Promise<EncodedUnit>;
  /** Adds a batch, all or none. */
  readonly write: (batch: UnitBatch) => Promise<unknown>;
  /** Most units in a batch. @default 1000 */
  readonly batchSize?: number;
  /** Most batches that are being written, or wait to be, at the same time. */
  readonly mostInFlight: number;
  /** Stops it, without writing what is not being written yet. */
  readonly signal?: AbortSignal;
}

/**
 * Adds what comes from an iterable in batches; the next is read while the last is written. It asks for no unit while the most batches
 * are in flight, so memory holds no more than these. When anything goes wrong it asks for no more, writes what came before, and
 * raises once nothing is in flight any more. Resolves to how many units came.
 */
export async function addStream(source: Iterable<unknown> | AsyncIterable<unknown>, plan: StreamPlan): Promise<number> {
  const { prepare, batchSize = maxBatchUnits, signal } = plan;
  signal?.throwIfAborted();
  const reader = new StreamReader(source);
  const writer = new BatchWriter(plan, (error) => reader.interrupt(error));
  const onAbort = (): void => reader.interrupt(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  let batch = new UnitBatch();
  const write = async (): Promise<void> => {
    const full = batch;
    batch = new UnitBatch();
    await writer.write(full);
  };
  let index = 0;
  let failure: { readonly error: unknown } | undefined;
  try {
    for (;;) {
      writer.throwFailure();
      signal?.throwIfAborted();
      const came = await reader.next(batch.taken > 0);
      signal?.throwIfAborted();
      if (came === 'nothing yet') {
        await write();
        continue;
      }
      if (came.done === true) break;
      const prepared = prepare(came.value, index);
      const unit = prepared instanceof Promise ? await prepared : prepared;
      index++;
      if (!batch.fits(unit, batchSize)) await write();
      batch.add(unit);
      if (batch.taken >= batchSize) await write();
    }
  } catch (error) {
    failure = { error };
    await reader.close();
  } finally {
    reader.stop();
    signal?.removeEventListener('abort', onAbort);
  }
  await writer.end(signal?.aborted === true ? new UnitBatch() : batch);
  if (failure !== undefined) throw failure.error;
  return index;
}

/** Writes batches, a few at a time, and remembers the first error. */
class BatchWriter {
  readonly #plan: StreamPlan;
  readonly #onFailure: (error: unknown) => void;
  readonly #inFlight = new Map<UnitBatch, Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  constructor(plan: StreamPlan, onFailure: (error: unknown) => void) {
    this.#plan = plan;
    this.#onFailure = onFailure;
  }

  /** Begins to write a batch, and waits until there is room for another. Raises what has gone wrong so far. */
  async write(batch: UnitBatch): Promise<void> {
    // Of the same name twice the last one counts: batches that share one must not overtake each other.
    for (const [other, written] of this.#inFlight) if (batch.overlaps(other)) await written;
    this.throwFailure();
    const written = this.#plan.write(batch).then(
      () => void this.#inFlight.delete(batch),
      (error: unknown) => {
        this.#inFlight.delete(batch);
        this.#failure ??= { error };
        this.#onFailure(error);
      },
    );
    this.#inFlight.set(batch, written);
    while (this.#inFlight.size >= this.#plan.mostInFlight) await Promise.race(this.#inFlight.values());
    this.throwFailure();
  }

  /** Writes the last batch, unless one before it has failed, and waits for all. Raises what has gone wrong. */
  async end(batch: UnitBatch): Promise<void> {
    if (this.#failure === undefined && batch.taken > 0) await this.write(batch).catch(() => undefined);
    await Promise.all(this.#inFlight.values());
    this.throwFailure();
  }

  /** Raises what has gone wrong so far. */
  throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}

/** Whether units can be taken from a value one by one. Text is iterable too, but by mistake. */
export function isIterable(value: unknown): value is Iterable<unknown> | AsyncIterable<unknown> {
  if (typeof value !== 'object' || value === null) return false;
  return (
    (Symbol.asyncIterator in value && typeof value[Symbol.asyncIterator] === 'function') ||
    (Symbol.iterator in value && typeof value[Symbol.iterator] === 'function')
  );
}
