/**
 * What is measured. `us`: units have names in the order in which they are added, so that they are worked off first in, first out, as the peers' jobs are.
 * `us-scattered`: their names come in no order, like hashes or random UUIDs. The ceiling is plain SQL; `ceiling-handing-out` also locks and reads what it claims.
 */
export const productNames = ['us', 'us-scattered', 'graphile', 'pg-boss', 'bullmq', 'ceiling', 'ceiling-handing-out'] as const;
export type ProductName = (typeof productNames)[number];

/** All but plain SQL, which is no queue. */
export const queueNames = productNames.filter((name) => !name.startsWith('ceiling'));

/**
 * How a worker fetches. `batched`: at the product's best settings for short jobs. `single`: nothing fetched ahead, nothing held
 * back: the peers fetch and report one job at a time, we claim as many as there are free slots, and reports that come together share a statement. `prompt`: at its best settings for a job out of the blue.
 */
export type WorkerMode = 'batched' | 'single' | 'prompt';

/**
 * Workers of most rows are frozen while a queue is filled, which may take longer than a pool keeps idle connections. It would open others when they
 * go on; no worker that is merely idle has to, as it looks for work every few seconds.
 */
export const keptOpen = { idleTimeoutMillis: 0 };

/** Handlers that run at once in each worker, in the modes in which that has a meaning. */
export const slots = 24;

/** One of the products, in a database of its own. */
export interface Product {
  readonly title: string;
  /** With how many calls at once batches are added fastest, found by trying. */
  readonly batchCallers: number;
  /** How many processes work. @default 2 */
  readonly processes?: number;
  /** Creates its tables, and so many queues over which jobs are spread; those that know but one kind of queue have one. */
  install(url: string, queues?: number): Promise<void>;
  /** Opens what is needed for so many calls at once. */
  connectProducer(url: string, callers: number): Promise<Producer>;
  /** Opens what a worker needs; `onJob` is all that its handlers do. */
  connectWorker(url: string, mode: WorkerMode, onJob: () => unknown): Promise<BenchWorker>;
  /** Opens both for a process that adds jobs and works them off: with one pool, and what else the product lets them share. In mode `prompt`. The worker is to be stopped before the producer is closed. */
  connectBoth?(url: string, onJob: () => unknown): Promise<{ readonly producer: Producer; readonly worker: BenchWorker }>;
}

/** Adds jobs, and looks at what has become of them. */
export interface Producer {
  /** Adds jobs number `from`, `from` + 1, ..., all or none, with payloads of about so many bytes. */
  addBatch(from: number, count: number, payloadBytes?: number): Promise<void>;
  addOne(number: number): Promise<void>;
  /** How many jobs are waiting or running, as it is durably recorded. */
  countUnfinished(): Promise<number>;
  close(): Promise<void>;
}

/** Works until it is stopped. */
export interface BenchWorker {
  /** Begins to fetch. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Transactions so far, and those that a collision with another one has ended. */
  readonly statistics?: { readonly committed: number; readonly aborted: number };
}

/** The time in milliseconds by a clock that all processes of this machine share. */
export const steadyMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** The payload of a job: small unless so many bytes are asked for. */
export function payloadOf(number: number, bytes = 0): { path: string; size: number; filler?: string } {
  const payload = { path: `/files/${number}.txt`, size: number };
  return bytes <= 50 ? payload : { ...payload, filler: fillerOf(bytes - 50) };
}

let filler = '';

/** Text that does not compress to nothing. */
function fillerOf(bytes: number): string {
  while (filler.length < bytes) filler += Math.random().toString(36).slice(2);
  return filler.slice(0, bytes);
}

/** Loads only the product asked for, so that a process that runs one of them carries no other. */
export async function loadProduct(name: ProductName): Promise<Product> {
  switch (name) {
    case 'us':
      return (await import('./products/us.js')).us;
    case 'us-scattered':
      return (await import('./products/us.js')).usScattered;
    case 'graphile':
      return (await import('./products/graphile.js')).graphile;
    case 'pg-boss':
      return (await import('./products/pg-boss.js')).pgBoss;
    case 'bullmq':
      return (await import('./products/bullmq.js')).bullmq;
    case 'ceiling':
      return (await import('./products/ceiling.js')).ceiling;
    case 'ceiling-handing-out':
      return (await import('./products/ceiling.js')).ceilingHandingOut;
  }
}
