import type { Attempt } from '../core/attempt/attempt.js';
import type { WorkSignal } from '../core/notify/work-signal.js';
import { mostClaimedAtOnce, mostClaimedInWholeRanges, type AttemptRequest } from '../core/worker/attempt-request.js';
import { canSleep, canWait, type LastLook, type WaitingWorker } from '../core/worker/waiting-worker.js';
import type { Worker } from '../core/worker/worker.js';
import { CoordinateError } from '../errors/index.js';
import { LocalQueueSize } from './local-queue.js';
import { patiently } from './patiently.js';
import type { RegisteredHandler } from './registered-handler.js';
import type { RunningWork } from './running-work.js';
import { UnitQueue, type QueuedUnit } from './unit-queue.js';
import type { WorkSpecCache } from './work-spec-cache.js';
import type { CheckedWorkerOptions } from './worker-options.js';

export interface ClaimerOptions {
  readonly worker: Worker;
  readonly specs: WorkSpecCache;
  readonly signal: WorkSignal;
  readonly settings: CheckedWorkerOptions;
  /** How many slots are free now. */
  readonly freeSlots: () => number;
  /** Whether so much waits to be reported that no more is to be claimed. */
  readonly isCongested: () => boolean;
  /** Has the lease of an attempt renewed, for as long as its handler may run from now on. */
  readonly hold: (attempt: Attempt, handler: RegisteredHandler) => void;
  /** Gives work to a handler in a free slot. */
  readonly start: (handler: RegisteredHandler, units: readonly QueuedUnit[]) => void;
}

/** What has waited for so long begins its maximum run time anew when its handler starts, in milliseconds. */
const noticeableMs = 1_000;

/** What is due may be another namespace's, or held by somebody who takes his time: no reason to ask all the time, in milliseconds. */
const leastWaitMs = 20;

/** How many work specs a worker may have that is handed what is added: all are looked at for what comes before it. */
const mostSpecsWhileIdle = 16;

/** Work specs that are asked for together. */
interface Group {
  readonly workSpecs: readonly string[];
  /** How many units a slot takes at once. */
  readonly unitsPerSlot: number;
}

/** Asks for work whenever there is room for it, and hands it to the handlers. */
export class Claimer {
  readonly #options: ClaimerOptions;
  readonly #stopping = new AbortController();
  readonly #ahead: LocalQueueSize;
  readonly #queue = new UnitQueue();
  /** What may have been added for us while we sleep: how many units, and what is under way for them. */
  #expected = 0;
  readonly #expecting = new Set<Promise<void>>();
  #turn = 0;
  /** Whether somebody has said that there may be work, and nothing was claimed since. */
  #isWoken = false;
  /** Whether something was claimed since we slept. */
  #hasClaimed = false;
  #roomFreed: (() => void) | undefined;
  #loop: Promise<void> | undefined;

  constructor(options: ClaimerOptions) {
    this.#options = options;
    this.#ahead = new LocalQueueSize({ most: options.settings.localQueue, slots: options.settings.concurrency });
  }

  /** How many units are claimed but not in a handler's hands. */
  get queued(): number {
    return this.#queue.length;
  }

  /** Rejects with an error that does not pass, such as that the namespace is gone. */
  run(): Promise<void> {
    this.#loop ??= this.#claim();
    return this.#loop;
  }

  /** Says that handlers have ended. */
  worked(ended: readonly RunningWork[]): void {
    const now = performance.now();
    for (const { attempts, startedAt } of ended) this.#ahead.worked(attempts.length, now - startedAt);
    this.#dispatch();
    this.#claimIfRoom();
  }

  /** Says that an attempt is not ours any more: it is not to be begun. Undefined: it is not waiting here. */
  drop(number: number): Attempt | undefined {
    return this.#queue.remove(number);
  }

  /** Says that something has been reported: there may be room again. */
  reported(): void {
    this.#claimIfRoom();
  }

  /** No more claims; resolves to what nobody has begun to work on. */
  async stop(): Promise<readonly Attempt[]> {
    this.#stopping.abort();
    this.#roomFreed?.();
    await this.#loop?.catch(() => undefined);
    await Promise.all(this.#expecting);
    return this.#queue.takeAll().map(({ attempt }) => attempt);
  }

  async #claim(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      if (this.#room() <= 0) {
        await new Promise<void>((resolve) => (this.#roomFreed = resolve));
        this.#roomFreed = undefined;
        continue;
      }
      await this.#claimOrWait();
    }
  }

  /** One round: claims what there is room for, or else waits until there may be something. */
  async #claimOrWait(): Promise<void> {
    const { worker, signal: wakeUp, settings, specs } = this.#options;
    const { signal } = this.#stopping;
    const patience = {
      signal,
      random: settings.random,
      onRetry: (error: Error) => settings.logger.warn(`no work can be asked for: ${error.message}`),
      isPassing: (error: unknown) => !isFinal(error),
    };
    try {
      // Who has just claimed all there was need not look before he registers: he has to afterwards.
      const isDry = this.#hasClaimed && canSleep(worker) && worker.isDry(await patiently(() => this.#workSpecs(), patience));
      if (!(isDry && wakeUp.canArm) && (await patiently(() => this.#claimOnce(), patience))) return;
      if (this.#isWoken) {
        // What was added may be the first unit of a work spec that nobody has seen yet.
        this.#isWoken = false;
        specs.lookAgain();
        if (await patiently(() => this.#claimOnce(), patience)) return;
      }
      if (canWait(worker)) {
        await patiently(() => this.#claimWhenThereIs(worker), patience);
        return;
      }
      // Registered first, looked again then: what is added in between cannot be missed.
      const { dueMs, hasNothing } = await patiently(() => this.#armAndLook(), patience);
      if (signal.aborted || (!hasNothing && (await patiently(() => this.#claimOnce(), patience)))) return;
      const pollMs = settings.pollMs * (0.75 + 0.5 * settings.random());
      const getUp = await patiently(() => this.#takeWhileIdle(), patience);
      const result = await wakeUp.wait(Math.min(pollMs, Math.max(dueMs ?? pollMs, leastWaitMs)), signal).finally(getUp);
      this.#hasClaimed = false;
      this.#isWoken = result === 'notified';
    } catch (error) {
      if (signal.aborted && error instanceof CoordinateError) return;
      throw error;
    }
  }

  /** Wakes the loop only if it has something to do: this is called for every unit, more than once. */
  #claimIfRoom(): void {
    if (this.#roomFreed !== undefined && this.#room() > 0) this.#roomFreed();
  }

  /** Whether anything was claimed. Asks for each group of work specs once, beginning with another one each time. */
  async #claimOnce(): Promise<boolean> {
    const { worker, specs } = this.#options;
    // Who was woken looks at once for what he knows, and if there is nothing, for what else there may be.
    const groups = groupsOf(await specs.specsByHandler({ inHurry: this.#isWoken }));
    const first = this.#turn++ % groups.length;
    for (const { workSpecs, unitsPerSlot } of [...groups.slice(first), ...groups.slice(0, first)]) {
      const room = this.#room();
      if (room <= 0 || this.#stopping.signal.aborted) return true;
      const began = performance.now();
      // What comes in a second pass would only keep what comes in the first waiting.
      const atOnce = canWait(worker) ? mostClaimedAtOnce : mostClaimedInWholeRanges;
      const most = unitsPerSlot === 1 ? Math.min(room, atOnce) : unitsPerSlot * Math.max(1, Math.min(this.#options.freeSlots(), Math.floor(mostClaimedAtOnce / unitsPerSlot)));
      const attempts = await worker.requestAttempts({ ...this.#requestOf(workSpecs, most), mayBeFewer: unitsPerSlot === 1 });
      if (attempts.length === 0) continue;
      this.#hasClaimed = true;
      this.#isWoken = false;
      this.#ahead.claimed(performance.now() - began);
      this.#take(attempts);
      return true;
    }
    return false;
  }

  /**
   * Has the implementation wait for work of whatever work spec there is a handler for. It is the first after a while without, so
   * that there is no batch of it to wait for. Not longer than between two looks at which work specs there are.
   */
  async #claimWhenThereIs(worker: WaitingWorker): Promise<void> {
    const { settings } = this.#options;
    const { signal } = this.#stopping;
    const waitMs = settings.pollMs * (0.75 + 0.5 * settings.random());
    this.#take(await worker.requestAttemptsOrWait(this.#requestOf(await this.#workSpecs(), this.#room()), { waitMs, signal }));
  }

  /** Says that we are about to sleep, and looks, where that can be done in one trip. */
  async #armAndLook(): Promise<LastLook> {
    const { worker, signal: wakeUp, settings } = this.#options;
    if (!canSleep(worker)) return { dueMs: await wakeUp.arm(), hasNothing: false };
    return worker.armAndLook(wakeUp, this.#requestOf(await this.#workSpecs(), settings.concurrency));
  }

  /** Of all handlers. */
  async #workSpecs(): Promise<readonly string[]> {
    return [...(await this.#options.specs.specsByHandler()).values()].flat();
  }

  /** Has what this process adds while we sleep handed to us; the last look has found nothing. Until what it resolves to is called. */
  async #takeWhileIdle(): Promise<() => void> {
    const { worker, specs, settings, freeSlots, isCongested } = this.#options;
    if (!canSleep(worker)) return () => undefined;
    const handlers = new Map<string, RegisteredHandler>();
    for (const [handler, names] of await specs.specsByHandler()) for (const name of names) handlers.set(name, handler);
    if (handlers.size > mostSpecsWhileIdle) return () => undefined;
    return worker.takeWhileIdle(this.#requestOf([...handlers.keys()], settings.concurrency), {
      room: () => (isCongested() ? 0 : freeSlots() - this.#queue.length - this.#expected),
      expect: (count, attempts) => {
        this.#expected += count;
        const expecting = attempts
          .then((given) => {
            this.#expected -= count;
            const [first] = given;
            if (first !== undefined) {
              this.#enqueue(given, handlers.get(first.workUnit.workSpec.name));
              this.#dispatch();
            }
            this.#claimIfRoom();
          })
          .catch((error: unknown) => {
            settings.logger.error(`what was handed over is held until its lease ends: ${error instanceof Error ? error.message : String(error)}`);
          })
          .finally(() => this.#expecting.delete(expecting));
        this.#expecting.add(expecting);
      },
    });
  }

  #requestOf(workSpecs: readonly string[], numberOfWorkUnits: number): AttemptRequest {
    const { lifetimeMs, runtimes, availableGb } = this.#options.settings;
    return { workSpecs, numberOfWorkUnits, lifetimeMs, ...(runtimes && { runtimes }), ...(availableGb !== undefined && { availableGb }) };
  }

  #take(attempts: readonly Attempt[]): void {
    const [claimed] = attempts;
    if (claimed === undefined) return;
    this.#enqueue(attempts, this.#options.specs.handlerOf(claimed.workUnit.workSpec.name));
    this.#dispatch();
  }

  /** How many units may be claimed. Ahead of the slots' needs a new claim is worth its while when half of that is used up. */
  #room(): number {
    const { freeSlots, isCongested } = this.#options;
    if (isCongested()) return 0;
    const { ahead } = this.#ahead;
    const needed = freeSlots() - this.#queue.length - this.#expected;
    return needed > 0 || this.#queue.length <= ahead / 2 ? needed + ahead : 0;
  }

  #enqueue(attempts: readonly Attempt[], handler: RegisteredHandler | undefined): void {
    // Nothing else was asked for.
    if (handler === undefined) throw new Error('units of a work spec without a handler were claimed');
    const claimedAt = performance.now();
    for (const attempt of attempts) {
      this.#options.hold(attempt, handler);
      this.#queue.push({ attempt, handler, claimedAt });
    }
  }

  /** Hands queued units to free slots, in the order in which they were claimed. */
  #dispatch(): void {
    const { freeSlots, start, hold } = this.#options;
    const now = performance.now();
    for (let next = this.#queue.first; next !== undefined && freeSlots() > 0 && !this.#stopping.signal.aborted; next = this.#queue.first) {
      const { handler } = next;
      const batch = this.#queue.take(handler.work.kind === 'batch' ? handler.work.batchSize : 1);
      for (const { attempt, claimedAt } of batch) if (now - claimedAt > noticeableMs) hold(attempt, handler);
      start(handler, batch);
    }
  }
}

/** A worker goes on whatever happens, unless nothing would ever be different. */
function isFinal(error: unknown): boolean {
  if (!(error instanceof CoordinateError)) return false;
  return ['Gone', 'Closed', 'InvalidArgument'].includes(error.code) || error.code.startsWith('Schema');
}

/** All that take one unit a slot together; each batch handler's on its own, as it takes so many more. */
function groupsOf(specs: ReadonlyMap<RegisteredHandler, readonly string[]>): readonly Group[] {
  const single: string[] = [];
  const groups: Group[] = [];
  for (const [{ work }, workSpecs] of specs) {
    if (work.kind === 'batch') groups.push({ workSpecs, unitsPerSlot: work.batchSize });
    else single.push(...workSpecs);
  }
  if (single.length > 0) groups.unshift({ workSpecs: single, unitsPerSlot: 1 });
  return groups;
}
