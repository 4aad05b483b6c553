import assert from 'node:assert/strict';
import { assertUnitStatus } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claim, minuteMs, specWith } from './set-up.js';

const dayMs = 24 * 60 * minuteMs;

export const timeCases = cases('Time', {
  'every time comes from the connection’s clock': async ({ coordinate, namespace, clock }) => {
    clock.set(new Date('2031-02-03T04:05:06.789Z'));
    const now = clock.now();
    assert.deepEqual(await coordinate.now(), now);
    const spec = await specWith(namespace, [], { continuous: true, interval: 60 });
    const worker = await namespace.worker('worker');
    assert.deepEqual((await worker.read()).lastUpdate, now);
    const attempt = await claim(worker);
    assert.deepEqual(attempt.startTime, now);
    assert.equal(attempt.workUnit.name, '1927857906.789');
    assert.deepEqual((await spec.meta()).nextContinuous, new Date(now.getTime() + minuteMs));
    await attempt.retry();
    assert.deepEqual((await attempt.read()).endTime, now);
    assert.deepEqual((await attempt.workUnit.meta()).notBefore, now);
  },

  'a namespace can be stepped through a year': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a'], { max_retries: 20 });
    const worker = await namespace.worker('worker');
    const unit = await spec.workUnit('a');
    const start = clock.now();
    for (let month = 0; month < 12; month++) {
      const attempt = await claim(worker, { lifetimeMs: 20 * dayMs });
      clock.advance(10 * dayMs);
      await attempt.renew(15 * dayMs);
      clock.advance(10 * dayMs);
      await attempt.retry({ month }, 10 * dayMs);
      await assertUnitStatus(unit, 'delayed');
      clock.advance(10 * dayMs);
    }
    assert.equal(clock.now().getTime() - start.getTime(), 360 * dayMs);
    assert.equal(await unit.numAttempts(), 12);
    await assertUnitStatus(unit, 'available');
  },

  'times long ago and far ahead are kept': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a']);
    const unit = await spec.workUnit('a');
    const worker = await namespace.worker('worker');
    for (const time of ['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z']) {
      const notBefore = new Date(time);
      await unit.setMeta({ notBefore });
      assertSameData(await unit.meta(), { priority: 0, notBefore });
      await assertUnitStatus(unit, notBefore > clock.now() ? 'delayed' : 'available');
      await worker.update({ data: null, now: notBefore, expiration: notBefore });
      assert.deepEqual([(await worker.read()).lastUpdate, (await worker.read()).expiration], [notBefore, notBefore]);
    }
  },
});
