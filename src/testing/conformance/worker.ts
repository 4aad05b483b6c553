import assert from 'node:assert/strict';
import { assertAttempts, assertUnitStatus, assertActive, raises, raisesGone } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, heldUnit, leaseMs, minuteMs, namesOf, secondMs, specWith, supersededAttempt } from './set-up.js';

export const workerCases = cases('Worker', {
  'a new worker is active and has said nothing yet': async ({ namespace, clock }) => {
    const worker = await namespace.worker('worker');
    assert.equal(worker.name, 'worker');
    assert.equal(worker.namespace.name, namespace.name);
    assertSameData(await worker.read(), {
      parent: null,
      active: true,
      mode: '',
      data: null,
      lastUpdate: clock.now(),
      expiration: new Date(clock.now().getTime() + leaseMs),
    });
    assert.deepEqual(await worker.children(), []);
    assert.deepEqual(await worker.activeAttempts(), []);
    assert.deepEqual(await worker.allAttempts(), []);
  },

  'a worker is found as it was': async ({ namespace, clock }) => {
    const created = await namespace.worker('worker');
    await created.update({ data: { host: 'a' }, mode: 'RUN' });
    const before = await created.read();
    clock.advance(minuteMs);
    assertSameData(await (await namespace.worker('worker')).read(), before);
    assert.equal((await namespace.workers()).length, 1);
  },

  'an update records all that is given': async ({ namespace, clock }) => {
    const worker = await namespace.worker('worker');
    const now = new Date(clock.now().getTime() - minuteMs);
    const expiration = new Date(clock.now().getTime() + minuteMs);
    await worker.update({ data: { cpus: 8 }, now, expiration, mode: 'RUN' });
    const expected = { parent: null, active: true, mode: 'RUN', data: { cpus: 8 }, lastUpdate: now, expiration };
    assertSameData(await worker.read(), expected);
  },

  'what an update leaves out has its default': async ({ namespace, clock }) => {
    const worker = await namespace.worker('worker');
    await worker.update({ data: { cpus: 8 }, mode: 'RUN' });
    clock.advance(minuteMs);
    await worker.update({ data: null });
    const expiration = new Date(clock.now().getTime() + leaseMs);
    assertSameData(await worker.read(), {
      parent: null, active: true, mode: '', data: null, lastUpdate: clock.now(), expiration,
    });
    const now = new Date('1999-01-01T00:00:00Z');
    await worker.update({ data: null, now });
    assert.deepEqual((await worker.read()).expiration, new Date(now.getTime() + leaseMs));
  },

  'a deactivated worker keeps all else, and an update makes it active again': async ({ namespace }) => {
    const worker = await namespace.worker('worker');
    await worker.update({ data: { x: 1 }, mode: 'RUN' });
    const before = await worker.read();
    await worker.deactivate();
    await worker.deactivate();
    assertSameData(await worker.read(), { ...before, active: false });
    assertSameData(await (await namespace.worker('worker')).read(), { ...before, active: false });
    await worker.update({ data: { x: 1 }, mode: 'RUN' });
    assertSameData(await worker.read(), before);
  },

  'nothing deactivates a worker by itself': async ({ namespace, clock }) => {
    const worker = await namespace.worker('worker');
    clock.advance(400 * 24 * 60 * minuteMs);
    assert.equal((await worker.read()).active, true);
    assert.deepEqual(namesOf(await namespace.workers({ activeOnly: true })), ['worker']);
  },

  'workers are listed in order of name, a page at a time': async ({ namespace }) => {
    const ordered = ['B', 'a', 'b', 'é', '\uff5e', '😀'];
    for (const name of ordered.toReversed()) await namespace.worker(name);
    assert.deepEqual(namesOf(await namespace.workers()), ordered);
    assert.deepEqual(namesOf(await namespace.workers({})), ordered);
    assert.deepEqual(namesOf(await namespace.workers({ limit: 2 })), ['B', 'a']);
    assert.deepEqual(namesOf(await namespace.workers({ start: 'a', limit: 2 })), ['a', 'b'], 'start is inclusive');
    assert.deepEqual(namesOf(await namespace.workers({ start: 'c' })), ['é', '\uff5e', '😀'], 'and need not exist');
    assert.deepEqual(namesOf(await namespace.workers({ start: '😁' })), []);
  },

  'only active workers are listed on request': async ({ namespace }) => {
    for (const name of ['a', 'b', 'c', 'd']) await namespace.worker(name);
    await (await namespace.worker('a')).deactivate();
    await (await namespace.worker('c')).deactivate();
    assert.deepEqual(namesOf(await namespace.workers({ activeOnly: true })), ['b', 'd']);
    assert.deepEqual(namesOf(await namespace.workers({ activeOnly: true, limit: 1 })), ['b']);
    assert.deepEqual(namesOf(await namespace.workers({ activeOnly: true, start: 'c' })), ['d']);
    assert.deepEqual(namesOf(await namespace.workers({ activeOnly: false })), ['a', 'b', 'c', 'd']);
  },

  'a worker has one parent, and a parent many children': async ({ namespace }) => {
    const [parent, other] = [await namespace.worker('parent'), await namespace.worker('other')];
    const [a, b] = [await namespace.worker('a'), await namespace.worker('b')];
    await b.setParent(parent);
    await a.setParent(parent);
    assert.equal((await a.read()).parent, 'parent');
    assert.deepEqual(namesOf(await parent.children()), ['a', 'b']);
    await b.setParent(other);
    assert.equal((await b.read()).parent, 'other');
    assert.deepEqual(namesOf(await parent.children()), ['a']);
    assert.deepEqual(namesOf(await other.children()), ['b']);
    await a.setParent(null);
    await a.setParent(null);
    assert.equal((await a.read()).parent, null);
    assert.deepEqual(await parent.children(), []);
  },

  'a change of parent changes nothing else': async ({ namespace, clock }) => {
    const worker = await namespace.worker('worker');
    await worker.update({ data: { x: 1 }, mode: 'RUN' });
    const before = await worker.read();
    clock.advance(minuteMs);
    await worker.setParent(await namespace.worker('parent'));
    assertSameData(await worker.read(), { ...before, parent: 'parent' });
    await worker.update({ data: null });
    assert.equal((await worker.read()).parent, 'parent', 'nor does an update change the parent');
  },

  'makeAttempts makes one of each unit, in the order given, or of none': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd']);
    const worker = await namespace.worker('worker');
    const [first] = await worker.requestAttempts();
    await (await claim(worker)).finish({ by: 'b' });
    const [a, b, c, d] = await spec.workUnits();
    assert.ok(a && b && c && d);
    const made = await worker.makeAttempts([c, a, b], minuteMs);
    assert.deepEqual(made.map(({ workUnit, status }) => [workUnit.name, status]), [['c', 'pending'], ['a', 'pending'], ['b', 'pending']]);
    for (const attempt of made) {
      await assertActive(attempt.workUnit, attempt);
      assert.deepEqual(attempt.expirationTime, new Date(clock.now().getTime() + minuteMs));
    }
    await raises('LostLease', async () => first?.renew());
    const verdicts = await namespace.finishAll(made.map((attempt) => ({ attempt })));
    assert.ok(verdicts.every(({ error }) => error === null));
    assert.deepEqual(await worker.makeAttempts([]), []);
    await spec.deleteWorkUnits({ names: ['c'] });
    await raisesGone({ overTheWire: true }, () => worker.makeAttempts([d, c]));
    assert.equal(await d.numAttempts(), 0);
  },

  'makeAttempt makes an attempt of any unit': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, []);
    const worker = await namespace.worker('worker');
    const unit = await spec.addWorkUnit('a', { x: 1 }, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    const delayed = await worker.makeAttempt(unit);
    assertSameData(delayed.data, { x: 1 });
    await assertActive(unit, delayed);
    const pending = await worker.makeAttempt(unit);
    await assertActive(unit, pending);
    await pending.finish();
    const finished = await worker.makeAttempt(unit);
    await assertActive(unit, finished);
    await finished.fail();
    const failed = await worker.makeAttempt(unit);
    await assertActive(unit, failed);
    await assertUnitStatus(unit, 'pending');
    assertAttempts(await unit.attempts(), [delayed, pending, finished, failed]);
  },

  'makeAttempt ignores pauses and limits': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a', 'b'], { disabled: true, max_running: 1, max_retries: 1 });
    const worker = await namespace.worker('worker');
    for (const name of ['a', 'b', 'a']) {
      const unit = await spec.workUnit(name);
      await assertActive(unit, await worker.makeAttempt(unit));
    }
  },

  'makeAttempt holds for 15 minutes, or as long as is said': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    const unit = await spec.workUnit('a');
    const byDefault = await worker.makeAttempt(unit);
    assert.deepEqual((await byDefault.read()).expirationTime, new Date(clock.now().getTime() + leaseMs));
    const short = await worker.makeAttempt(unit, secondMs);
    assert.deepEqual((await short.read()).expirationTime, new Date(clock.now().getTime() + secondMs));
    assert.deepEqual(short.startTime, clock.now());
  },

  'a unit taken by makeAttempt is not handed out': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    await worker.makeAttempt(await spec.workUnit('a'));
    assert.deepEqual(await worker.requestAttempts(), []);
  },

  'active attempts are the pending ones, by number': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c', 'd', 'e']);
    const worker = await namespace.worker('worker');
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 5 });
    await attempts[0]?.finish();
    await attempts[2]?.retry();
    await attempts[3]?.expire();
    assertAttempts(await worker.activeAttempts(), attempts.filter((_, index) => index === 1 || index === 4));
    assertAttempts(await worker.allAttempts(), attempts);
    assert.deepEqual(await (await namespace.worker('other')).activeAttempts(), []);
  },

  'all attempts come by number, a page at a time': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c', 'd']);
    const worker = await namespace.worker('worker');
    const first = await worker.requestAttempts({ numberOfWorkUnits: 2 });
    const foreign = await claim(await namespace.worker('other'));
    const attempts = [...first, await claim(worker)];
    assertAttempts(await worker.allAttempts({ limit: 2 }), attempts.slice(0, 2));
    assertAttempts(await worker.allAttempts({ after: attempts[1]?.number ?? 0 }), attempts.slice(2));
    assertAttempts(await worker.allAttempts({ after: attempts[0]?.number ?? 0, limit: 1 }), attempts.slice(1, 2));
    assertAttempts(await worker.allAttempts({ after: foreign.number }), attempts.slice(2));
    assert.deepEqual(await worker.allAttempts({ after: attempts[2]?.number ?? 0 }), []);
  },

  'a page has 1,000 attempts unless it is said otherwise': async ({ namespace }) => {
    await specWith(namespace, Array.from({ length: 1001 }, (_, index) => `unit ${index}`));
    const worker = await namespace.worker('worker');
    const attempts = await worker.requestAttempts({ numberOfWorkUnits: 1001 });
    assert.equal(attempts.length, 1001);
    const page = await worker.allAttempts();
    assertAttempts(page, attempts.slice(0, 1000));
    assertAttempts(await worker.allAttempts({ after: page.at(-1)?.number ?? 0 }), attempts.slice(1000));
    assertAttempts(await worker.activeAttempts(), attempts);
  },

  'child attempts are the active attempts of the children, by number': async ({ namespace }) => {
    await specWith(namespace, ['a', 'b', 'c', 'd', 'e', 'f']);
    const [parent, one, two] = [await namespace.worker('p'), await namespace.worker('1'), await namespace.worker('2')];
    const grandchild = await namespace.worker('grandchild');
    await one.setParent(parent);
    await two.setParent(parent);
    await grandchild.setParent(one);
    const b = await claim(two);
    const a = await claim(one);
    const c = await claim(two);
    await claim(parent);
    await claim(grandchild);
    await (await claim(one)).finish();
    assertAttempts(await parent.childAttempts(), [b, a, c]);
    assert.equal((await parent.childAttempts())[1]?.worker.name, '1');
    await two.setParent(null);
    assertAttempts(await parent.childAttempts(), [a]);
    assert.deepEqual(await grandchild.childAttempts(), []);
  },

  'child attempts leave out those that are superseded': async ({ namespace }) => {
    const parent = await namespace.worker('parent');
    const { worker, attempt } = await supersededAttempt(namespace);
    await worker.setParent(parent);
    assert.deepEqual(await parent.childAttempts(), []);
    assertAttempts(await worker.activeAttempts(), [attempt]);
  },

  'attempts listed for a worker can be reported on': async ({ namespace }) => {
    const { unit, worker } = await heldUnit(namespace);
    const [listed] = await worker.activeAttempts();
    assert.equal(listed?.workUnit.name, 'unit');
    assert.equal(listed?.worker.name, 'worker');
    await listed?.finish();
    await assertUnitStatus(unit, 'finished');
  },
});
