export type { AnsweredRequest, EndedAttempts, LapsedAttempts, Operation, Telemetry } from '../core/telemetry/telemetry.js';
export { Metrics, type MeasuredRequest } from './metrics.js';
export type { MetricsOptions } from './metrics-options.js';
export { fromPino, jsonLogger, type JsonLoggerOptions, type ObjectFirstLogger } from './json-logger.js';
export { Readiness, type NotReady, type ReadinessOptions } from './readiness.js';
export { requestLog, type LoggedRequest, type RequestLogFormat } from './request-log.js';
export { allOf } from './all-of.js';
export { Tracing, type TracingApi, type TracingOptions } from './tracing.js';
