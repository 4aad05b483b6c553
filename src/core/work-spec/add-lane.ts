import { sqlState } from '../../database/index.js';
import type { Bucket } from '../backend.js';
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

/** How long what has come since waits for a statement under way, to go together, before it goes beside it. */
const patienceMs = 50;

/**
 * How long a statement for several calls waits for a lock. Longer, and a unit that somebody has locked would keep all the others from being
 * added; and a caller whose transaction holds one of them and wants another would be in a deadlock that no call for itself can make.
 * Well below PostgreSQL's deadlock_timeout of 1 s, so that it does not come to one.
 */
const sharedLockTimeout = '50ms';

/**
 * Calls that add units to one spec. The first goes at once, with those of the same turn of the event loop's microtasks; what comes while its
 * statement is under way goes together in the next. A caller alone waits no longer than without this; many share one round trip
 * and one commit. Calls of one name never overtake each other.
 */
export class AddLane {
  readonly #bucket: Bucket;
  readonly #specId: number;
  readonly #onEmpty: () => void;
  #waiting: Call[] = [];
  readonly #namesInFlight = new Set<string>();
  #inFlight = 0;
  /** Of those in flight, how many the next statement still waits for. */
  #awaited = 0;
  #isScheduled = false;

  constructor(bucket: Bucket, specId: number, onEmpty: () => void) {
    this.#bucket = bucket;
    this.#specId = specId;
    this.#onEmpty = onEmpty;
  }

  add(key: string, unit: EncodedUnit | Promise<EncodedUnit>, caller: Caller): void {
    const call: Call = { key, unit: unit instanceof Promise ? undefined : unit, ...caller };
    this.#waiting.push(call);
    this.#schedule();
    if (!(unit instanceof Promise)) return;
    unit
      .then(
        (ready) => (call.unit = ready),
        (error: unknown) => {
          this.#waiting.splice(this.#waiting.indexOf(call), 1);
          call.reject(error);
        },
      )
      .finally(() => this.#schedule());
  }

  #schedule(): void {
    if (this.#isScheduled || this.#awaited > 0) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      this.#sendNext();
    });
  }

  /** Sends what can be sent, a statement at a time. */
  #sendNext(): void {
    if (this.#awaited > 0) return;
    const calls = this.#take();
    if (calls.length > 0) void this.#send(calls);
    else if (this.#waiting.length === 0 && this.#inFlight === 0) this.#onEmpty();
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
    const answered = this.#beginFlight();
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

  /** Returns what is to be called once the statement has answered. */
  #beginFlight(): () => void {
    this.#inFlight++;
    this.#awaited++;
    let isAwaited = true;
    const endWait = (): void => {
      if (!isAwaited) return;
      isAwaited = false;
      this.#awaited--;
    };
    const patience = setTimeout(() => {
      endWait();
      this.#sendNext();
    }, patienceMs);
    return () => {
      clearTimeout(patience);
      this.#inFlight--;
      endWait();
      this.#sendNext();
    };
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
