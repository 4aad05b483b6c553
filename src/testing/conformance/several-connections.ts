import assert from 'node:assert/strict';
import type { Attempt } from '../../core/attempt/attempt.js';
import type { Namespace } from '../../core/namespace/namespace.js';
import type { Worker } from '../../core/worker/worker.js';
import { assertAttemptStatus, assertUnitStatus } from './assertions.js';
import { cases, type ConformanceContext } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, heldUnit, leaseMs, namesOf, specWith } from './set-up.js';

/** The case's namespace, as four workers on two connections see it. */
async function fourViews({ connect, namespace }: ConformanceContext): Promise<Namespace[]> {
  const there = await (await connect()).namespace(namespace.name);
  return [namespace, there, namespace, there];
}

/** The one attempt that a worker holds. */
async function claimedBy(worker: Worker): Promise<Attempt> {
  const attempts = await worker.activeAttempts();
  assert.equal(attempts.length, 1);
  return attempts[0] as Attempt;
}

const unitNames = (count: number): string[] => Array.from({ length: count }, (_, index) => `unit ${index}`);

export const severalConnectionsCases = [
  ...cases(
    'Namespace',
    {
      'a namespace can be reached through several connections': async ({ connect, namespace }) => {
        const there = await (await connect()).namespace(namespace.name);
        await specWith(namespace, ['a']);
        assert.deepEqual(await there.workSpecNames(), ['spec']);
        const attempt = await claim(await there.worker('worker'));
        const [seenHere] = await (await namespace.worker('worker')).activeAttempts();
        assert.equal(seenHere?.number, attempt.number);
        await seenHere?.finish({ result: 1 });
        await assertAttemptStatus(attempt, 'finished');
      },

      'a namespace and what is in it may be created by many at once': async (context) => {
        const views = await fourViews(context);
        const name = `${context.namespace.name} too`;
        const created = await Promise.all(views.map(({ coordinate }) => coordinate.namespace(name)));
        try {
          await Promise.all(created.map((each) => each.setWorkSpec({ name: 'spec' })));
          await Promise.all(created.map((each) => each.worker('worker')));
          assert.deepEqual(await created[0]?.workSpecNames(), ['spec']);
          assert.deepEqual(namesOf((await created[1]?.workers()) ?? []), ['worker']);
        } finally {
          await created[0]?.destroy();
        }
      },
    },
    { needsSharedBackend: true },
  ),

  ...cases(
    'Work spec',
    {
      'many producers may add the same names at once': async (context) => {
        const views = await fourViews(context);
        const spec = await specWith(context.namespace, []);
        const names = unitNames(40);
        const orders = [names, names.toReversed(), [...names.slice(20), ...names.slice(0, 20)], names];
        await Promise.all(
          views.map(async (view, producer) => {
            const own = await view.workSpec('spec');
            await own.addWorkUnits((orders[producer] ?? names).map((name) => ({ name, data: { producer } })));
          }),
        );
        assert.deepEqual(namesOf(await spec.workUnits()), names.toSorted());
        assertSameData(await spec.countWorkUnitStatus(), { available: 40 });
      },
    },
    { needsSharedBackend: true },
  ),

  ...cases(
    'Scheduling',
    {
      'many workers asking at once never get the same unit, and miss none': async (context) => {
        const views = await fourViews(context);
        const spec = await specWith(context.namespace, unitNames(24));
        const claimed = await Promise.all(
          views.map(async (view, index) => {
            const worker = await view.worker(`worker ${index}`);
            const names: string[] = [];
            // One alone could take them all; what is handed out twice must not keep it going for ever.
            for (let request = 0; request <= 12; request++) {
              const attempts = await worker.requestAttempts({ numberOfWorkUnits: 2 });
              if (attempts.length === 0) break;
              names.push(...attempts.map(({ workUnit }) => workUnit.name));
            }
            return names;
          }),
        );
        assert.deepEqual(claimed.flat().sort(), unitNames(24).sort());
        assertSameData(await spec.countWorkUnitStatus(), { pending: 24 });
      },

      'maxRunning holds however many ask at once': async (context) => {
        const views = await fourViews(context);
        await specWith(context.namespace, unitNames(12), { max_running: 3 });
        const workers = await Promise.all(views.map((view, index) => view.worker(`worker ${index}`)));
        const ask = async () => {
          const answers = await Promise.all(workers.map((worker) => worker.requestAttempts({ numberOfWorkUnits: 2 })));
          return answers.flat();
        };
        const first = await ask();
        assert.equal(first.length, 3);
        await first[0]?.finish();
        assert.equal((await ask()).length, 1);
      },

      'a continuous spec makes one unit however many ask at once': async (context) => {
        const views = await fourViews(context);
        const spec = await specWith(context.namespace, [], { continuous: true, interval: 60 });
        const workers = await Promise.all(views.map((view, index) => view.worker(`worker ${index}`)));
        const attempts = (await Promise.all(workers.map((worker) => worker.requestAttempts()))).flat();
        assert.equal(attempts.length, 1);
        assert.equal((await spec.workUnits()).length, 1);
      },

      'numbers of attempts grow across connections': async (context) => {
        const views = await fourViews(context);
        const spec = await specWith(context.namespace, ['a']);
        const numbers: number[] = [];
        for (const view of views) {
          const unit = await (await view.workSpec(spec.name)).workUnit('a');
          numbers.push((await (await view.worker('worker')).makeAttempt(unit)).number);
        }
        assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
      },
    },
    { needsSharedBackend: true },
  ),

  ...cases(
    'Attempt',
    {
      'of many who end an attempt at once one wins': async (context) => {
        const views = await fourViews(context);
        const next = await context.namespace.setWorkSpec({ name: 'next' });
        const { unit, attempt } = await heldUnit(context.namespace, { then: 'next' });
        // Found first, so that the reports themselves are all on their way at once.
        const found = await Promise.all(
          views.map(async (view) => claimedBy(await view.worker('worker'))),
        );
        const outcomes = await Promise.allSettled(
          found.map((own, reporter) => own.finish({ reporter, output: [`of ${reporter}`] })),
        );
        const winners = outcomes.flatMap(({ status }, reporter) => (status === 'fulfilled' ? [reporter] : []));
        assert.equal(winners.length, 1);
        assertSameData((await attempt.read()).data, { reporter: winners[0], output: [`of ${winners[0]}`] });
        assert.deepEqual(namesOf(await next.workUnits()), [`of ${winners[0]}`]);
        await assertUnitStatus(unit, 'finished');
      },

      'one connection expires what was handed out by another': async ({ connect, clock, namespace }) => {
        const { attempt } = await heldUnit(namespace);
        const there = await (await connect()).namespace(namespace.name);
        clock.advance(leaseMs + 1);
        assert.equal((await claim(await there.worker('other'))).workUnit.name, 'unit');
        await assertAttemptStatus(attempt, 'expired');
      },
    },
    { needsSharedBackend: true },
  ),
];
