import { Tracing } from '../../telemetry/index.js';
import { UsageError } from '../usage-error.js';

/**
 * Spans by the OpenTelemetry that its user has installed, and whose SDK he has registered, such as by
 * `NODE_OPTIONS='--require @opentelemetry/auto-instrumentations-node/register'`. With 'propagate' units keep the context of who added them. Raises UsageError.
 */
export async function loadTracing(kind: 'spans' | 'propagate'): Promise<Tracing> {
  const api = await import('@opentelemetry/api').catch((error: unknown) => {
    throw new UsageError('--tracing needs the package @opentelemetry/api beside this one: install it, and register an SDK with it', { cause: error });
  });
  return new Tracing({ api, propagate: kind === 'propagate' });
}
