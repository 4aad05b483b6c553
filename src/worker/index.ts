export { createWorker } from './create-worker.js';
export type { DeadLetter } from './dead-letter.js';
export type {
  AnyHandler,
  BatchAnswer,
  BatchHandler,
  BatchHandlerOptions,
  Handler,
  HandlerAnswer,
  HandlerContext,
  Handlers,
  HandlerSettings,
  SingleHandler,
} from './handler.js';
export type { IsolatedContext } from './isolated/host-run.js';
export type { IsolatedHandler } from './isolated/index.js';
export type { DataOf, Job, ResultOf } from './job-types.js';
export { redrive, type Redriven, type RedriveOptions } from './redrive.js';
export type { RetryPolicy } from './retry-policy.js';
export { fail, reported, retry, type FailVerdict, type ReportedVerdict, type RetryVerdict } from './verdict.js';
export type { WorkerLogger } from './worker-logger.js';
export type { WorkerOptions } from './worker-options.js';
export type { WorkerRuntime } from './worker-runtime.js';
