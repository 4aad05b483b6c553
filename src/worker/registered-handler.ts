import { InvalidArgumentError } from '../errors/index.js';
import { checkInteger, checkName, checkNumber, checkOptions, kindOf } from '../options/index.js';
import type { AnyHandler, BatchHandler, Handler } from './handler.js';
import { checkIsolatedHandler, type IsolatedHandler } from './isolated/isolated-handler.js';
import { checkRetryPolicy, type RetryPolicy } from './retry-policy.js';

/** A handler as the worker keeps it, whatever form it was given in. */
export interface RegisteredHandler {
  /** The work spec or task it is for. */
  readonly name: string;
  readonly maxRunMs: number;
  readonly retry: RetryPolicy;
  readonly work:
    | { readonly kind: 'single'; readonly run: Handler }
    | { readonly kind: 'batch'; readonly runBatch: BatchHandler; readonly batchSize: number }
    | { readonly kind: 'isolated'; readonly handler: IsolatedHandler };
}

const defaultMaxRunMs = 3_600_000;
const defaultBatchSize = 100;

/** Raises InvalidArgument, naming the handler and what is wrong with it. */
export function checkHandlers(handlers: unknown, field: string): Map<string, RegisteredHandler> {
  if (typeof handlers !== 'object' || handlers === null || Array.isArray(handlers)) {
    throw new InvalidArgumentError(field, `must be an object of handlers by work spec, not ${kindOf(handlers)}`);
  }
  const entries = Object.entries(handlers).filter(([, handler]) => handler !== undefined);
  if (entries.length === 0) throw new InvalidArgumentError(field, 'must have at least one handler');
  return new Map(entries.map(([name, handler]) => [name, checkHandler(name, handler as AnyHandler, `${field}.${name}`)]));
}

function checkHandler(name: string, handler: AnyHandler, field: string): RegisteredHandler {
  checkName(name, field, { mayBeEmpty: false });
  if (typeof handler === 'function') return registered(name, {}, { kind: 'single', run: handler }, field);
  if (typeof handler !== 'object' || handler === null) {
    throw new InvalidArgumentError(field, `must be a function, or an object with run, runBatch or module, not ${kindOf(handler)}`);
  }
  if ('run' in handler) {
    checkOptions(handler, field, ['run', 'maxRunMs', 'retry']);
    return registered(name, handler, { kind: 'single', run: checkFunction(handler.run, `${field}.run`) }, field);
  }
  if ('runBatch' in handler) {
    checkOptions(handler, field, ['runBatch', 'batchSize', 'maxRunMs', 'retry']);
    const batchSize = checkInteger(handler.batchSize ?? defaultBatchSize, `${field}.batchSize`, { least: 1, most: 10_000 });
    return registered(name, handler, { kind: 'batch', runBatch: checkFunction(handler.runBatch, `${field}.runBatch`), batchSize }, field);
  }
  if ('module' in handler) {
    const { maxRunMs, retry, ...isolated } = handler;
    const settings = { ...(maxRunMs !== undefined && { maxRunMs }), ...(retry !== undefined && { retry }) };
    checkIsolatedHandler(isolated, field);
    return registered(name, settings, { kind: 'isolated', handler: isolated }, field);
  }
  throw new InvalidArgumentError(field, 'must have run, runBatch or module');
}

function registered(
  name: string,
  { maxRunMs = defaultMaxRunMs, retry }: { readonly maxRunMs?: number; readonly retry?: RetryPolicy },
  work: RegisteredHandler['work'],
  field: string,
): RegisteredHandler {
  if (maxRunMs !== Number.POSITIVE_INFINITY) checkNumber(maxRunMs, `${field}.maxRunMs`, { least: 1 });
  return { name, maxRunMs, retry: checkRetryPolicy(retry, `${field}.retry`), work };
}

function checkFunction<T>(value: T, field: string): T {
  if (typeof value !== 'function') throw new InvalidArgumentError(field, `must be a function, not ${kindOf(value)}`);
  return value;
}
