import { sqlState } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { sharedLockTimeout } from '../shared-lock-timeout.js';
import { Turns } from '../turns.js';
import { addBatchForIds } from '../work-unit/add-units.js';
import { UnitBatch, type EncodedUnit } from '../work-unit/unit-batch.js';

/** Who is told what became of a call. */
interface Caller {
  readonly resolve: (id: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A call that waits for its unit to be added. */
interface Call extends Caller {
  readonly key: string;
  /** Undefined while its schema has not answered. */
  unit: EncodedUnit | undefined;
}

/** A call that can be sent. */
type ReadyCall = Call & { readonly unit: EncodedUnit };

/** Calls that add units to one spec, and share statements (see `Turns`). Calls of one name never overtake each other. */
export class AddLane {
  readonly #bucket: Bucket;
  readonly #specId: number;
  readonly #onEmpty: () => void;
  readonly #turns = new Turns(() => this.#sendNext());
  #waiting: Call[] = [];
  readonly #namesInFlight = new Set<string>();

  constructor(bucket: Bucket, specId: number, onEmpty: () => void) {
    this.#bucket = bucket;
    this.#specId = specId;
    this.#onEmpty = onEmpty;
  }

  add(key: string, unit: EncodedUnit | Promise<EncodedUnit>, caller: Caller): void {
    const call: Call = { key, unit: unit instanceof Promise ? undefined : unit, ...caller };
    this.#waiting.push(call);
    this.#turns.schedule();
    if (!(unit instanceof Promise)) return;
    unit
      .then(
        (ready) => (call.unit = ready),
        (error: unknown) => {
          this.#waiting.splice(this.#waiting.indexOf(call), 1);
          call.reject(error);
        },
      )
      .finally(() => this.#turns.schedule());
  }

  /** Sends what can be sent, a statement at a time. */
  #sendNext(): void {
    const calls = this.#take();
    if (calls.length > 0) void this.#send(calls);
    else if (this.#waiting.length === 0 && this.#turns.isIdle) this.#onEmpty();
  }

  /** Takes from the front as many calls as go into one statement; those whose name is in flight, or has to wait for its schema, stay. */
  #take(): ReadyCall[] {
    const batch = new UnitBatch();
    const taken: ReadyCall[] = [];
    const left: Call[] = [];
    const held = new Set<string>();
    let seen = 0;
    for (const call of this.#waiting) {
      if (!isReady(call) || held.has(call.key) || this.#namesInFlight.has(call.key)) {
        held.add(call.key);
        left.push(call);
      } else {
        if (!batch.fits(call.unit)) break;
        batch.add(call.unit);
        taken.push(call);
      }
      seen++;
    }
    if (taken.length > 0) this.#waiting = [...left, ...this.#waiting.slice(seen)];
    return taken;
  }

  /** Never rejects: what goes wrong is told to each. */
  async #send(calls: readonly ReadyCall[]): Promise<void> {
    const keys = new Set(calls.map(({ key }) => key));
    const isAlone = keys.size === 1;
    for (const key of keys) this.#namesInFlight.add(key);
    const answered = this.#turns.begin();
    const error = await this.#tryToAdd(calls, isAlone ? {} : { lockTimeout: sharedLockTimeout });
    for (const key of keys) this.#namesInFlight.delete(key);
    if (error !== undefined) {
      // 55P03: a lock was not to be had in time. Each for itself only waits for its own.
      if (!isAlone && sqlState(error.value) === '55P03') this.#sendSingly(calls);
      else for (const { reject } of calls) reject(error.value);
    }
    answered();
  }

  /** All at once; but those of one name go together, and the last counts, as they would have. */
  #sendSingly(calls: readonly ReadyCall[]): void {
    for (const ofOneName of groupByKey(calls).values()) void this.#send(ofOneName);
  }

  async #tryToAdd(
    calls: readonly ReadyCall[],
    options: { readonly lockTimeout?: string },
  ): Promise<{ readonly value: unknown } | undefined> {
    const batch = new UnitBatch();
    for (const { unit } of calls) batch.add(unit);
    const { database } = this.#bucket.backend;
    try {
      const idOf = await database.continuing(() => addBatchForIds(this.#bucket, this.#specId, batch, options));
      for (const { unit, resolve } of calls) resolve(idOf(unit.name));
      return undefined;
    } catch (error) {
      return { value: error };
    }
  }
}

function isReady(call: Call): call is ReadyCall {
  return call.unit !== undefined;
}

function groupByKey(calls: readonly ReadyCall[]): Map<string, ReadyCall[]> {
  const groups = new Map<string, ReadyCall[]>();
  for (const call of calls) {
    const group = groups.get(call.key);
    if (group === undefined) groups.set(call.key, [call]);
    else group.push(call);
  }
  return groups;
}
