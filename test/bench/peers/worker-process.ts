/* A worker process of the suite. Its arguments come as JSON; it tells its parent how far it is, and stops when told to. */
import { loadProduct, steadyMs, type ProductName, type WorkerMode } from './product.js';
import type { WorkerProgress } from './worker-processes.js';

const { product, url, mode } = JSON.parse(process.argv[2] ?? '') as { product: ProductName; url: string; mode: WorkerMode };

let jobs = 0;
let told = 0;
let rss = 0;
const readMemory = (): void => {
  rss = Math.max(rss, process.memoryUsage.rss());
};
const tell = (startedAt?: number): void => {
  told = jobs;
  const progress: WorkerProgress = { jobs, rss, ...worker.statistics, ...(startedAt !== undefined && { startedAt }) };
  process.send?.(progress);
};
const worker = await (await loadProduct(product)).connectWorker(url, mode, () => {
  jobs += 1;
  if (mode === 'prompt') tell(steadyMs());
});
let seen = 0;
/** Tells at once when no more jobs come: whoever waits for the last one is not to learn of it up to 20 ms later. */
const tellAtRest = (): void => {
  if (jobs === seen && jobs !== told) tell();
  seen = jobs;
};
// A worker that sleeps is not to be woken by this.
const ticking = mode === 'prompt' ? [] : [setInterval(tell, 20), setInterval(tellAtRest, 2), setInterval(readMemory, 200)];
process.once('message', () => {
  ticking.forEach(clearInterval);
  void worker.stop().then(() => {
    readMemory();
    tell();
    process.disconnect();
  });
});
process.once('disconnect', () => process.exit());
await worker.start();
tell();
