export type { AnsweredRequest, EndedAttempts, Operation, Telemetry } from '../core/telemetry/telemetry.js';
export { Metrics } from './metrics.js';
export type { MetricsOptions } from './metrics-options.js';
