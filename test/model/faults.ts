import type { Coordinate } from '../../src/core/coordinate.js';

/** Does something else than `proceed` with these arguments. */
export type Fault = (proceed: (...args: unknown[]) => Promise<unknown>, args: readonly unknown[], target: unknown) => Promise<unknown>;

/** Plants faults in a coordinate and in all the objects that are got from it: by class and method, such as `MemoryWorker.read`. */
export function withFaults(coordinate: Coordinate, faults: Readonly<Record<string, Fault>>): Coordinate {
  return planted(coordinate, faults) as Coordinate;
}

function planted(value: unknown, faults: Readonly<Record<string, Fault>>): unknown {
  if (Array.isArray(value)) return value.map((item) => planted(item, faults));
  const className = value?.constructor.name;
  if (typeof value !== 'object' || value === null || className?.startsWith('Memory') !== true) return value;
  return new Proxy(value, {
    get(target, key) {
      const own: unknown = Reflect.get(target, key, target);
      if (typeof own !== 'function') return key === 'record' ? own : planted(own, faults);
      const proceed = async (...args: unknown[]) => planted(await own.apply(target, args), faults);
      const fault = faults[`${className}.${String(key)}`];
      return fault === undefined ? proceed : (...args: unknown[]) => fault(proceed, args, target);
    },
  });
}
