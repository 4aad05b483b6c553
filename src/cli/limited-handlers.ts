import { setImmediate } from 'node:timers/promises';
import type { Handler, SingleHandler } from '../worker/index.js';
import { retry } from '../worker/index.js';
import type { AnyHandlers } from './load-handlers.js';
import { UsageError } from './usage-error.js';

/**
 * The same handlers, which call `onEnough` when the last of so many units is in their hands; a unit beyond them goes back. Raises UsageError
 * for handlers that cannot be counted: batches, and those that run elsewhere.
 */
export function limitedHandlers(handlers: AnyHandlers, units: number, onEnough: () => void): AnyHandlers {
  let begun = 0;
  const limited = (run: Handler): Handler => async (context) => {
    if (begun >= units) return retry({ delayMs: 0 });
    begun++;
    if (begun === units) {
      onEnough();
      // The worker stops before this slot is free: it claims nothing in vain.
      await setImmediate();
    }
    return run(context);
  };
  const entries = Object.entries(handlers).map(([name, handler]): [string, SingleHandler<Record<string, unknown>, never> | Handler] => {
    if (typeof handler === 'function') return [name, limited(handler)];
    if (handler === undefined || !('run' in handler)) {
      throw new UsageError(`--units counts what functions do; the handler ${name} is none, so end it with --once`);
    }
    return [name, { ...handler, run: limited(handler.run) } as SingleHandler<Record<string, unknown>, never>];
  });
  return Object.fromEntries(entries);
}
