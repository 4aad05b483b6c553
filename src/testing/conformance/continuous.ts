import assert from 'node:assert/strict';
import { assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, claimNames, minuteMs, namesOf, secondMs, specWith } from './set-up.js';

const start = new Date(1_448_028_061_123);

export const continuousCases = cases('Scheduling', {
  'a continuous spec with nothing to do gets one unit, named by the time': async ({ namespace, clock }) => {
    clock.set(start);
    const spec = await specWith(namespace, [], { continuous: true, interval: 60 });
    const attempt = await claim(await namespace.worker('worker'), { numberOfWorkUnits: 5 });
    assert.equal(attempt.workUnit.name, '1448028061.123');
    assertSameData(attempt.data, {});
    assertSameData(await attempt.workUnit.meta(), { priority: 0, notBefore: null });
    assert.deepEqual(namesOf(await spec.workUnits()), ['1448028061.123']);
    assert.deepEqual((await spec.meta()).nextContinuous, new Date(start.getTime() + minuteMs));
  },

  'the name of a continuous unit has all three digits of its milliseconds': async ({ namespace, clock }) => {
    await specWith(namespace, [], { continuous: true });
    const worker = await namespace.worker('worker');
    for (const [ms, name] of [[1_448_028_061_005, '1448028061.005'], [1_448_028_062_000, '1448028062.000']] as const) {
      clock.set(new Date(ms));
      const attempt = await claim(worker);
      assert.equal(attempt.workUnit.name, name);
      await attempt.finish();
    }
  },

  'a continuous unit is made no sooner than nextContinuous': async ({ namespace, clock }) => {
    await specWith(namespace, [], { continuous: true, interval: 60 });
    const worker = await namespace.worker('worker');
    await (await claim(worker)).finish();
    clock.advance(minuteMs - 1);
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(1);
    await (await claim(worker)).finish();
    assert.deepEqual(await claimNames(worker), []);
  },

  'no continuous unit is made while one is pending': async ({ namespace, clock }) => {
    await specWith(namespace, [], { continuous: true, interval: 1 });
    const worker = await namespace.worker('worker');
    const attempt = await claim(worker);
    clock.advance(minuteMs);
    assert.deepEqual(await claimNames(worker), []);
    await attempt.fail();
    assert.equal((await claimNames(worker)).length, 1);
  },

  'units that are there come before a continuous one': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a'], { continuous: true, interval: 60 });
    const worker = await namespace.worker('worker');
    const attempt = await claim(worker);
    assert.equal(attempt.workUnit.name, 'a');
    assert.equal((await spec.meta()).nextContinuous, null);
    assert.deepEqual(await claimNames(worker), []);
    await attempt.finish();
    assert.equal((await claimNames(worker)).length, 1);
  },

  'a continuous unit given back is handed out again, and no other made': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { continuous: true, interval: 1 });
    const worker = await namespace.worker('worker');
    const attempt = await claim(worker);
    clock.advance(minuteMs);
    await attempt.retry();
    assert.deepEqual(await claimNames(worker), [attempt.workUnit.name]);
    assert.equal((await spec.workUnits()).length, 1);
  },

  'delayed, finished and failed units do not keep a continuous one from being made': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a', 'b'], { continuous: true });
    const worker = await namespace.worker('worker');
    const [a, b] = await worker.requestAttempts({ numberOfWorkUnits: 2 });
    await a?.finish();
    await b?.fail();
    await spec.addWorkUnit('later', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    const attempt = await claim(worker);
    assert.match(attempt.workUnit.name, /^\d+\.\d{3}$/);
  },

  'without an interval the next continuous unit may follow at once': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { continuous: true });
    const worker = await namespace.worker('worker');
    await (await claim(worker)).finish();
    clock.advance(1);
    await (await claim(worker)).finish();
    assert.equal((await spec.workUnits()).length, 2);
  },

  'a second continuous unit within a millisecond runs the first one again': async ({ namespace }) => {
    const spec = await specWith(namespace, [], { continuous: true });
    const worker = await namespace.worker('worker');
    const first = await claim(worker);
    await first.finish({ result: 1 });
    const second = await claim(worker);
    assert.equal(second.workUnit.name, first.workUnit.name);
    assertSameData(second.data, {});
    assert.equal(await second.workUnit.numAttempts(), 2);
    assert.equal((await spec.workUnits()).length, 1);
  },

  'an interval may be a fraction of a second': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { continuous: true, interval: 0.25 });
    const worker = await namespace.worker('worker');
    await (await claim(worker)).finish();
    assert.deepEqual((await spec.meta()).nextContinuous, new Date(clock.now().getTime() + 250));
    clock.advance(249);
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(1);
    assert.equal((await claimNames(worker)).length, 1);
  },

  'a continuous spec makes nothing while it is switched off, paused or put off': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { continuous: true });
    const worker = await namespace.worker('worker');
    await spec.setMeta({ continuous: false });
    assert.deepEqual(await claimNames(worker), []);
    await spec.setMeta({ continuous: true, paused: true });
    assert.deepEqual(await claimNames(worker), []);
    await spec.setMeta({ paused: false, nextContinuous: new Date(clock.now().getTime() + secondMs) });
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(secondMs);
    assert.equal((await claimNames(worker)).length, 1);
  },

  'a spec that is not continuous makes nothing': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    await spec.setMeta({ continuous: true });
    assert.deepEqual(await claimNames(await namespace.worker('worker')), []);
    assert.deepEqual(await spec.workUnits(), []);
  },

  'a continuous spec competes like any other': async ({ namespace }) => {
    await specWith(namespace, [], { name: 'continuous', continuous: true, interval: 60, runtime: 'go', priority: 1 });
    await specWith(namespace, ['a'], { name: 'plain' });
    const worker = await namespace.worker('worker');
    const attempt = await claim(worker, { runtimes: ['go', ''] });
    assert.equal(attempt.workUnit.workSpec.name, 'continuous');
    assert.deepEqual(await claimNames(worker, { runtimes: ['go', ''] }), ['a']);
  },

  'setData keeps the rhythm of a continuous spec': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { continuous: true, interval: 60 });
    const worker = await namespace.worker('worker');
    const attempt = await claim(worker);
    await attempt.finish();
    await spec.setData({ name: 'spec', continuous: true, interval: 60 });
    assert.deepEqual(await claimNames(worker), []);
    clock.advance(minuteMs);
    assert.equal((await claimNames(worker)).length, 1);
    await assertUnitStatus(attempt.workUnit, 'finished');
  },

  'an hourly spec runs through a day': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, [], { continuous: true, interval: 3600 });
    const worker = await namespace.worker('worker');
    for (let step = 0; step < 48; step++) {
      for (const attempt of await worker.requestAttempts()) await attempt.finish();
      clock.advance(30 * minuteMs);
    }
    assertSameData(await spec.countWorkUnitStatus(), { finished: 24 });
  },
});
