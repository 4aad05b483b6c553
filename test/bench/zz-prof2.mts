import { connect } from 'pg-coordinate';
import { createWorker } from 'pg-coordinate/worker';
import { startEmbeddedPostgres } from 'pg-coordinate/embedded';
import { setTimeout as wait } from 'node:timers/promises';
const pgs = await startEmbeddedPostgres();
const a = await connect(pgs.url, { migrate: true }), b = await connect(pgs.url);
const ns = await a.namespace('b'); const spec = await ns.setWorkSpec({ name: 'bench' });
let started: (t: number) => void = () => {};
const w = createWorker({ coordinate: b, namespace: 'b', pollMs: 3600000, handlers: { bench: () => started(performance.now()) } });
await w.start();
const adds: number[] = [], starts: number[] = [];
for (let i = 0; i < 400; i++) {
  const p = new Promise<number>((r) => (started = r));
  const t = performance.now(); let ta = 0;
  const ad = spec.addWorkUnit(`u${i}`, {}).then(() => (ta = performance.now()));
  const ts = await p; await ad;
  if (i > 50) { adds.push(ta - t); starts.push(ts - t); }
  await wait(20);
}
const med = (x: number[]) => x.toSorted((p, q) => p - q)[x.length >> 1]!.toFixed(2);
console.log('add', med(adds), 'start', med(starts));
const worker = await (await b.namespace('b')).worker('x');
const claims: number[] = [];
for (let i = 0; i < 200; i++) { const t = performance.now(); await worker.requestAttempts({ workSpecs: ['bench'] }); claims.push(performance.now() - t); }
console.log('empty request', med(claims));
await w.stop();
for (let i = 0; i < 100; i++) await spec.addWorkUnit(`v${i}`, {});
const full: number[] = [];
for (let i = 0; i < 100; i++) { const t = performance.now(); await worker.requestAttempts({ workSpecs: ['bench'] }); full.push(performance.now() - t); }
console.log('request', med(full));
await a.close(); await b.close(); await pgs.stop();
