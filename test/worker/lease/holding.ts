import { onTestFinished } from 'vitest';
import type { Attempt, CoordinateError, Logger, Namespace, WorkSpec } from '../../../src/index.js';
import { keepLeases } from '../../../src/worker/lease/keep-leases.js';
import type { LeaseKeeper } from '../../../src/worker/lease/lease-keeper.js';
import { beforeNextLook } from '../../database/until.js';
import type { TestDatabase } from '../../support/database.js';

/** Long enough that a busy machine does not make a renewal come too late, short enough to wait for several. */
export const lifetimeMs = 3_000;

/** What a keeper tells. */
export class Told {
  readonly lost = new Map<number, CoordinateError>();
  readonly warnings: string[] = [];
  readonly #listeners = new Set<() => void>();

  readonly onLost = (attempt: Attempt, error: CoordinateError): void => {
    if (this.lost.has(attempt.number)) throw new Error('told twice');
    this.lost.set(attempt.number, error);
    this.#wake();
  };

  readonly #warn = (message: string): void => {
    this.warnings.push(message);
    this.#wake();
  };

  readonly logger: Logger = { warn: this.#warn, error: this.#warn };

  async untilLost(attempt: Attempt): Promise<CoordinateError> {
    await this.#until(() => this.lost.has(attempt.number));
    return this.lost.get(attempt.number)!;
  }

  async untilWarned(text: RegExp): Promise<void> {
    await this.#until(() => this.warnings.some((warning) => text.test(warning)));
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }

  #wake(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }
}

/** A keeper that is stopped when the test has ended. */
export async function keeperOf(namespace: Namespace, told: Told, lifetime = lifetimeMs): Promise<LeaseKeeper> {
  const keeper = await keepLeases({ namespace, lifetimeMs: lifetime, onLost: told.onLost, logger: told.logger });
  onTestFinished(() => keeper.stop());
  return keeper;
}

/** Attempts of a spec of their own. */
export async function attemptsOf(namespace: Namespace, workSpec: string, count = 1, lifetime = lifetimeMs): Promise<Attempt[]> {
  const spec: WorkSpec = await namespace.setWorkSpec({ name: workSpec });
  await spec.addWorkUnits(Array.from({ length: count }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  const worker = await namespace.worker('holder');
  const attempts: Attempt[] = [];
  while (attempts.length < count) {
    const numberOfWorkUnits = Math.min(1_000, count - attempts.length);
    attempts.push(...(await worker.requestAttempts({ workSpecs: [workSpec], numberOfWorkUnits, lifetimeMs: lifetime })));
  }
  return attempts;
}

/** When the leases end, by number of the attempt, in milliseconds since 1970. */
export async function leaseEnds({ query, bucket }: TestDatabase): Promise<Map<number, number>> {
  const rows = await query<{ number: string; ends: number }>(
    `select number, 1000 * extract(epoch from expires_at)::float8 as ends from ${bucket}.any_lease`,
  );
  return new Map(rows.map(({ number, ends }) => [Number(number), ends]));
}

/** Resolves once each lease of these attempts has been renewed so often, by default since it is called. Throws if one is lost. */
export async function untilRenewed(
  database: TestDatabase,
  attempts: readonly Attempt[],
  times = 1,
  since?: ReadonlyMap<number, number>,
): Promise<void> {
  let ends = since ?? (await leaseEnds(database));
  for (let time = 0; time < times; time++) {
    for (;;) {
      const now = await leaseEnds(database);
      for (const { number } of attempts) if (!now.has(number)) throw new Error(`the lease of attempt ${number} is gone`);
      if (attempts.every(({ number }) => now.get(number)! > ends.get(number)!)) {
        ends = now;
        break;
      }
      await beforeNextLook();
    }
  }
}

/** The process ids of the server that serve lease threads. */
export async function threadConnections({ query, schema }: TestDatabase): Promise<number[]> {
  const rows = await query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = $1 and query like '%pg-coordinate:attempt.renew-held%' and pid <> pg_backend_pid()`,
    [`pg-coordinate test ${schema}`],
  );
  return rows.map(({ pid }) => pid);
}
