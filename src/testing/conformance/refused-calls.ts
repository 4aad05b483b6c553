import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import type { Namespace } from '../../core/namespace/namespace.js';
import { raises, raisesInvalid } from './assertions.js';
import type { ConformanceContext } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { heldUnit, type Held } from './set-up.js';

/** A call with one argument that is bad; the rest is taken from a unit held by a worker. */
export type Call = (argument: never, held: Held, namespace: Namespace) => Promise<unknown>;

/** Everything that a refused call might have changed. */
export async function everything({ spec, unit, worker, attempt }: Held, namespace: Namespace): Promise<unknown> {
  const units = await spec.workUnits();
  return [
    await namespace.workSpecNames(),
    (await namespace.workers()).map(({ name }) => name),
    await spec.data(),
    await spec.meta({ counts: true }),
    await Promise.all(units.map(async (each) => [each.name, await each.status(), await each.data(), await each.meta()])),
    await unit.numAttempts(),
    await worker.read(),
    await attempt.read(),
  ];
}

/** Calls with one bad argument after the other: each must be refused as `refuse` says, and nothing may change. */
export function refuses(
  bad: readonly unknown[],
  calls: readonly Call[],
  refuse: (action: () => Promise<unknown>) => Promise<unknown>,
): (context: ConformanceContext) => Promise<void> {
  return async ({ namespace }) => {
    const held = await heldUnit(namespace, { then: 'spec' });
    await held.spec.addWorkUnit('free', { x: 1 }, { priority: 2 });
    const before = await everything(held, namespace);
    const accepted: string[] = [];
    for (const call of calls) {
      for (const argument of bad) {
        // Being async, it turns what is thrown at once into a rejection too.
        const refusal = refuse(async () => call(argument as never, held, namespace));
        await refusal.catch((error: unknown) => accepted.push(`${call.toString()} of ${inspect(argument)}: ${String(error)}`));
      }
    }
    // All of them in one message: an implementation that checks too little does so in many places.
    assert.equal(accepted.join('\n'), '');
    assertSameData(await everything(held, namespace), before, 'everything');
  };
}

/** Refused as InvalidArgument, with one of these names in `details.field`. */
export function invalid(fields: string | readonly string[], bad: readonly unknown[], ...calls: Call[]) {
  return refuses(bad, calls, (action) => raisesInvalid(fields, action));
}

/** Refused as BadPriority. */
export function badPriority(bad: readonly unknown[], ...calls: Call[]) {
  return refuses(bad, calls, (action) => raises('BadPriority', action));
}
