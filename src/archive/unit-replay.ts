import type { AttemptVerdict } from '../core/attempt/attempt-report.js';
import type { Attempt } from '../core/attempt/attempt.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
import type { Worker } from '../core/worker/worker.js';
import type { ArchivedAttempt, ArchivedUnit } from './record.js';

/** How many calls are under way at the same time. */
const atOnce = 50;

/** Long enough for the statement that ends the attempt. */
const leaseMs = 600_000;

/** A unit on its way through its attempts. */
interface Replayed {
  readonly unit: WorkUnit;
  readonly archived: ArchivedUnit;
}

/** Adds units and makes their attempts anew, by workers of the same names. */
export class UnitReplay {
  readonly #namespace: Namespace;
  readonly #workers = new Map<string, Worker>();
  /** Those that were not there before. */
  readonly #made: Worker[] = [];

  constructor(namespace: Namespace) {
    this.#namespace = namespace;
  }

  /** The units' names are in order, each once. */
  async add(spec: WorkSpec, units: readonly ArchivedUnit[]): Promise<void> {
    await spec.addWorkUnits(units.map(({ key, data, priority, notBefore }) => ({ name: key, data, meta: { priority, notBefore } })));
    const tried = units.filter(({ attempts }) => attempts.length > 0);
    if (tried.length === 0) return;
    const found = new Map((await spec.workUnits({ names: tried.map(({ key }) => key) })).map((unit) => [keyText(unit.key), unit]));
    const replayed = tried.flatMap((archived): Replayed[] => {
      const unit = found.get(keyText(archived.key));
      return unit === undefined ? [] : [{ unit, archived }];
    });
    const rounds = Math.max(...tried.map(({ attempts }) => attempts.length));
    for (let round = 0; round < rounds; round++) await this.#replayRound(replayed, round);
    await inParallel(replayed, (one) => settle(one));
  }

  /** Leaves no worker that seems to be at work. */
  async close(): Promise<void> {
    for (const worker of this.#made) await worker.deactivate().catch(() => undefined);
  }

  /** The attempts of one number, of all units: those that finish or fail are reported together. */
  async #replayRound(units: readonly Replayed[], round: number): Promise<void> {
    const made: { readonly attempt: Attempt; readonly archived: ArchivedAttempt }[] = [];
    const due = units.filter(({ archived }) => archived.attempts.length > round);
    for (const [name, tried] of byWorker(due, round)) {
      const attempts = await (await this.#worker(name)).makeAttempts(tried.map(({ unit }) => unit), leaseMs);
      attempts.forEach((attempt, index) => {
        const archived = tried[index]?.archived.attempts[round];
        if (archived !== undefined) made.push({ attempt, archived });
      });
    }
    const reports = (status: ArchivedAttempt['status']): { attempt: Attempt; data: ArchivedAttempt['data'] }[] =>
      made.filter(({ archived }) => archived.status === status).map(({ attempt, archived }) => ({ attempt, data: archived.data }));
    accepted(await this.#namespace.finishAll(reports('finished')));
    accepted(await this.#namespace.failAll(reports('failed')));
    await inParallel(reports('expired'), ({ attempt, data }) => attempt.expire(data));
    await inParallel(reports('retryable'), ({ attempt, data }) => attempt.retry(data));
  }

  async #worker(name: string): Promise<Worker> {
    const known = this.#workers.get(name);
    if (known !== undefined) return known;
    const [there] = await this.#namespace.workers({ start: name, limit: 1 });
    const worker = await this.#namespace.worker(name);
    this.#workers.set(name, worker);
    if (there?.name !== name) this.#made.push(worker);
    return worker;
  }
}

/** Units by the name of the worker that made their attempt of a round. */
function byWorker(units: readonly Replayed[], round: number): Map<string, Replayed[]> {
  const groups = new Map<string, Replayed[]>();
  for (const unit of units) {
    const name = unit.archived.attempts[round]?.worker ?? '';
    const group = groups.get(name);
    if (group === undefined) groups.set(name, [unit]);
    else group.push(unit);
  }
  return groups;
}

/** What the attempts have changed about the unit beyond what is in the archive. */
async function settle({ unit, archived }: Replayed): Promise<void> {
  const { ended, attempts, priority, notBefore } = archived;
  const last = attempts.at(-1)?.status;
  if (ended === null && (last === 'finished' || last === 'failed')) await unit.clearActiveAttempt();
  if (attempts.some(({ status }) => status === 'retryable')) await unit.setMeta({ priority, notBefore });
}

function accepted(verdicts: readonly AttemptVerdict[]): void {
  for (const { error } of verdicts) if (error !== null) throw error;
}

async function inParallel<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  for (let from = 0; from < items.length; from += atOnce) await Promise.all(items.slice(from, from + atOnce).map(work));
}

function keyText(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
