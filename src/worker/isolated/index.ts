export type { IsolatedHandler } from './isolated-handler.js';
export type { IsolatedJob } from './isolated-job.js';
export { IsolatedRunner, type IsolatedRunOptions } from './isolated-runner.js';
