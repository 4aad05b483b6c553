import assert from 'node:assert/strict';
import type { Summary } from '../../core/summary/summary.js';
import { cases } from './conformance-case.js';
import { minuteMs, specWith } from './set-up.js';

/** Rows as text; those of one work spec in order of status, which is the implementation's choice. */
function shown(summary: Summary): string[] {
  return summary.map(({ workSpec, status, count }) => `${workSpec} ${status} ${count}`);
}

export const summaryCases = cases('Namespace', {
  'a summary of nothing has no rows': async ({ coordinate, namespace }) => {
    const spec = await specWith(namespace, []);
    assert.deepEqual(await spec.summarize(), []);
    assert.deepEqual(await namespace.summarize(), []);
    assert.deepEqual((await coordinate.summarize()).filter((row) => row.namespace === namespace.name), []);
  },

  'a summary counts units by work spec and status at each level': async ({ coordinate, namespace, clock }) => {
    const spec = await specWith(namespace, ['a', 'b', 'c', 'd', 'e', 'f']);
    const worker = await namespace.worker('worker');
    const [a, b, c] = await worker.requestAttempts({ numberOfWorkUnits: 4 });
    await a?.finish();
    await b?.finish();
    await c?.fail();
    await spec.addWorkUnit('later', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    await specWith(namespace, ['x'], { name: 'A first' });
    await specWith(namespace, [], { name: 'empty' });
    const ofSpec = ['spec available 2', 'spec delayed 1', 'spec failed 1', 'spec finished 2', 'spec pending 1'];
    assert.deepEqual(shown(await spec.summarize()).sort(), ofSpec);
    const ofNamespace = ['A first available 1', ...ofSpec];
    assert.deepEqual(shown(await namespace.summarize()).sort(), ofNamespace);
    const rows = (await coordinate.summarize()).filter((row) => row.namespace === namespace.name);
    assert.deepEqual(shown(rows).sort(), ofNamespace);
    assert.ok((await spec.summarize()).every((row) => row.namespace === namespace.name));
  },

  'a summary is ordered by namespace and work spec': async ({ coordinate, namespace }) => {
    const other = await coordinate.namespace(`${namespace.name} too`);
    try {
      for (const name of ['b', 'a', 'B']) await specWith(namespace, ['x'], { name });
      await specWith(other, ['x'], { name: 'A' });
      assert.deepEqual((await namespace.summarize()).map(({ workSpec }) => workSpec), ['B', 'a', 'b']);
      const rows = (await coordinate.summarize()).filter((row) => row.namespace.startsWith(namespace.name));
      assert.deepEqual(rows.map(({ workSpec }) => workSpec), ['B', 'a', 'b', 'A']);
    } finally {
      await other.destroy();
    }
  },

  'which work specs have units waiting, and for how long, is told': async ({ namespace, clock }) => {
    assert.deepEqual(await namespace.oldestWaiting(), []);
    await specWith(namespace, ['a', 'b'], { name: 'waiting' });
    await specWith(namespace, ['a'], { name: 'taken' });
    await specWith(namespace, [], { name: 'empty' });
    const later = await specWith(namespace, [], { name: 'later' });
    await later.addWorkUnit('a', {}, { notBefore: new Date(clock.now().getTime() + minuteMs) });
    await (await namespace.worker('worker')).requestAttempts({ workSpecs: ['taken'] });
    const oldest = await namespace.oldestWaiting();
    assert.deepEqual(oldest.map((row) => [row.namespace, row.workSpec]), [[namespace.name, 'waiting']]);
    assert.ok(oldest.every(({ seconds }) => seconds >= 0));
  },

  'a summary follows every change': async ({ namespace, clock }) => {
    const spec = await specWith(namespace, ['a']);
    const worker = await namespace.worker('worker');
    const unit = await spec.workUnit('a');
    const seen: string[] = [];
    const look = async (): Promise<void> => {
      seen.push(...shown(await namespace.summarize()));
    };
    await look();
    const attempt = await worker.makeAttempt(unit);
    await look();
    await attempt.fail();
    await look();
    await attempt.finish();
    await look();
    await unit.clearActiveAttempt();
    await look();
    await unit.setMeta({ notBefore: new Date(clock.now().getTime() + minuteMs) });
    await look();
    clock.advance(minuteMs);
    await look();
    await spec.deleteWorkUnits();
    await look();
    const statuses = ['available', 'pending', 'failed', 'finished', 'available', 'delayed', 'available'];
    assert.deepEqual(seen, statuses.map((status) => `spec ${status} 1`));
  },
});
