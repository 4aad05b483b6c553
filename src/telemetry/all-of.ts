import type { DataDictionary } from '../codec/index.js';
import type { Operation, Telemetry } from '../core/telemetry/telemetry.js';

/**
 * Several as one, in their order; what the first puts around operations is outermost.
 *
 * @example
 * await connect(url, { telemetry: allOf(metrics, tracing) });
 */
export function allOf(...telemetries: readonly Telemetry[]): Telemetry {
  const [first, ...others] = telemetries;
  if (first === undefined) return {};
  return others.reduce(both, first);
}

/** A member that neither has is left out: it costs nothing. */
function both(one: Telemetry, other: Telemetry): Telemetry {
  const around = inside(one.around, other.around);
  const stamp = one.stamp && other.stamp ? (data: DataDictionary) => other.stamp?.(one.stamp?.(data) ?? data) ?? data : (one.stamp ?? other.stamp);
  const onAnswered = inTurn(one.onAnswered, other.onAnswered);
  const onForced = inTurn(one.onForced, other.onForced);
  const onEnded = inTurn(one.onEnded, other.onEnded);
  const onLapsed = inTurn(one.onLapsed, other.onLapsed);
  const onExpired = inTurn(one.onExpired, other.onExpired);
  return {
    ...(around && { around }),
    ...(stamp && { stamp }),
    ...(onAnswered && { onAnswered }),
    ...(onForced && { onForced }),
    ...(onEnded && { onEnded }),
    ...(onLapsed && { onLapsed }),
    ...(onExpired && { onExpired }),
  };
}

function inside(outer: Telemetry['around'], inner: Telemetry['around']): Telemetry['around'] {
  if (outer === undefined || inner === undefined) return outer ?? inner;
  return <T>(operation: Operation, run: () => Promise<T>) => outer(operation, () => inner(operation, run));
}

function inTurn<T>(one: ((event: T) => void) | undefined, other: ((event: T) => void) | undefined): ((event: T) => void) | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return (event) => {
    one(event);
    other(event);
  };
}
