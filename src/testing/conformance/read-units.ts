import assert from 'node:assert/strict';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../../core/work-spec/work-unit-query.js';
import { workUnitPages } from '../../core/work-unit/work-unit-pages.js';
import { raises, raisesGone } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { heldUnit, minuteMs, specWith, supersededAttempt } from './set-up.js';

async function readNames(spec: WorkSpec, query?: WorkUnitQuery): Promise<string> {
  const names: string[] = [];
  for await (const page of workUnitPages(spec, query)) names.push(...page.map(({ workUnit }) => workUnit.name));
  return names.join(' ');
}

export const readUnitsCases = cases('Work spec', {
  'reading units tells what reading each of them tells': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['f', 'p', 'r', 'x']);
    const worker = await namespace.worker('worker');
    const [f, p, r, x] = await worker.requestAttempts({ numberOfWorkUnits: 4 });
    await f?.finish({ done: true });
    await p?.renew(minuteMs, { progress: 1 });
    await r?.retry({ later: 1 }, minuteMs);
    await x?.fail();
    await spec.addWorkUnit('a', { from: 'unit' }, { priority: 2.5 });
    await spec.addWorkUnit('d', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    await spec.addWorkUnit(Uint8Array.of(0xff, 0), { bytes: true });
    const { units, next } = await spec.readWorkUnits({}, ['data', 'ownData', 'attempts']);
    assert.equal(next, null);
    assert.equal(units.length, 7);
    for (const { workUnit, status, meta, data, ownData, attempts } of units) {
      assert.equal(status, await workUnit.status());
      assert.deepEqual(meta, await workUnit.meta());
      assertSameData(data, await workUnit.data());
      assertSameData(ownData, await workUnit.ownData());
      const each = await workUnit.attempts();
      assert.deepEqual(
        attempts.map((attempt) => [attempt.number, attempt.status, attempt.worker.name, attempt.startTime, attempt.endTime, attempt.expirationTime]),
        each.map((attempt) => [attempt.number, attempt.status, attempt.worker.name, attempt.startTime, attempt.endTime, attempt.expirationTime]),
      );
      assertSameData(attempts.map((attempt) => attempt.data), each.map((attempt) => attempt.data));
    }
    assert.deepEqual(units.map(({ workUnit, status }) => `${workUnit.name} ${status}`), [
      'a available', 'd delayed', 'f finished', 'p pending', 'r delayed', 'x failed', '\ufffd\0 available',
    ]);
    assert.deepEqual([...(units.at(-1)?.workUnit.key ?? [])], [0xff, 0]);
  },

  'reading units tells nothing that was not asked for': async ({ namespace }) => {
    const { spec } = await heldUnit(namespace);
    const { units: plain } = await spec.readWorkUnits();
    assert.deepEqual(Object.keys(plain[0] ?? {}).sort(), ['meta', 'status', 'workUnit']);
    const { units: own } = await spec.readWorkUnits({}, ['ownData']);
    assert.deepEqual(Object.keys(own[0] ?? {}).sort(), ['meta', 'ownData', 'status', 'workUnit']);
  },

  'reading units tells superseded attempts, and attempts that can be used': async ({ namespace }) => {
    const { spec, attempt, successor } = await supersededAttempt(namespace);
    const { units } = await spec.readWorkUnits({}, ['attempts']);
    assert.deepEqual(units[0]?.attempts.map(({ number, worker }) => [number, worker.name]), [
      [attempt.number, 'worker'],
      [successor.number, 'other worker'],
    ]);
    await units[0]?.attempts[1]?.finish({ by: 'whoever has read it' });
    const { units: after } = await spec.readWorkUnits({}, ['data']);
    assert.deepEqual(after.map(({ status, data }) => [status, data]), [['finished', { by: 'whoever has read it' }]]);
  },

  'reading units sees that a lease has run out': async ({ namespace, clock }) => {
    const { spec } = await heldUnit(namespace);
    clock.advance(60 * minuteMs);
    const { units } = await spec.readWorkUnits({}, ['attempts']);
    assert.deepEqual(units.map(({ status, attempts }) => [status, attempts.map((attempt) => attempt.status)]), [['available', ['expired']]]);
  },

  'reading units takes the conditions of a query': async ({ namespace }) => {
    const spec = await specWith(namespace, ['c', 'a', 'e', 'b', 'd']);
    const worker = await namespace.worker('worker');
    const [a, b] = await worker.requestAttempts({ numberOfWorkUnits: 3 });
    await a?.finish();
    await b?.finish();
    assert.equal(await readNames(spec), 'a b c d e');
    assert.equal(await readNames(spec, { names: ['d', 'missing', 'a', 'd'] }), 'a d');
    assert.equal(await readNames(spec, { names: ['d', 'a', 'b'], previousName: 'a' }), 'b d');
    assert.equal(await readNames(spec, { names: ['d', 'a', 'b'], limit: 2 }), 'a b');
    assert.equal(await readNames(spec, { statuses: ['finished'] }), 'a b');
    assert.equal(await readNames(spec, { statuses: ['available', 'pending'] }), 'c d e');
    assert.equal(await readNames(spec, { statuses: ['available', 'pending'], previousName: 'c', limit: 1 }), 'd');
    assert.equal(await readNames(spec, { names: [] }), '');
    assert.equal(await readNames(spec, { statuses: [] }), '');
    assert.equal(await readNames(spec, { limit: 0 }), '');
    assert.equal(await readNames(await specWith(namespace, [], { name: 'empty' })), '');
  },

  'reading units goes by pages of at most the limit, in which each comes once': async ({ namespace }) => {
    const spec = await specWith(namespace, ['c', 'a', 'e', 'b', 'd']);
    const seen: string[] = [];
    let previousName: Uint8Array | undefined;
    // Not until it says so, since a page that comes again would keep it going for ever.
    for (let page = 0; page < 5; page++) {
      const { units, next } = await spec.readWorkUnits({ limit: 2, ...(previousName && { previousName }) });
      assert.ok(units.length <= 2);
      seen.push(...units.map(({ workUnit }) => workUnit.name));
      if (next === null) break;
      previousName = next;
    }
    assert.deepEqual(seen, ['a', 'b', 'c', 'd', 'e']);
  },

  'reading thousands of units reads each once, with any number of names': async ({ namespace }) => {
    const names = Array.from({ length: 1_700 }, (_, index) => `unit ${String(index).padStart(4, '0')}`);
    const spec = await specWith(namespace, names);
    assert.equal(await readNames(spec), names.join(' '));
    assert.equal(await readNames(spec, { statuses: ['available'] }), names.join(' '));
    assert.equal(await readNames(spec, { names: [...names].reverse() }), names.join(' '));
    assert.equal(await readNames(spec, { names, limit: 1_001 }), names.slice(0, 1_001).join(' '));
    assert.equal(await readNames(spec, { limit: 1_001 }), names.slice(0, 1_001).join(' '));
  },

  'reading large units comes to all of them': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const names = ['a', 'b', 'c', 'd', 'e'];
    // Incompressible enough to be as large in the database.
    const text = Array.from({ length: 100_000 }, (_, index) => (index * 2_654_435_761 % 4_294_967_296).toString(36)).join('').slice(0, 600_000);
    for (const name of names) await spec.addWorkUnit(name, { text: Array.from({ length: 4 }, () => text) });
    const sizes: number[] = [];
    for await (const page of workUnitPages(spec, {}, ['data'])) sizes.push(...page.map(({ data }) => (data.text as string[]).join('').length));
    assert.deepEqual(sizes, names.map(() => 2_400_000));
  },

  'reading units refuses what it does not know': async (context) => {
    const spec = await specWith(context.namespace, ['a']);
    await raises('InvalidArgument', () => spec.readWorkUnits({}, ['everything' as 'data']));
    await raises('InvalidArgument', () => spec.readWorkUnits({ limit: -1 }));
    await raises('InvalidArgument', () => spec.readWorkUnits({ statuses: ['done' as 'failed'] }));
    await context.namespace.destroyWorkSpec('spec');
    await raisesGone(context, () => spec.readWorkUnits());
    await raisesGone(context, () => spec.readWorkUnits({ names: [] }));
  },
});
