import type fc from 'fast-check';
import type { Operation } from '../command.js';

/** An operation, and how often it is drawn compared with the others. */
export interface Weighted {
  readonly weight: number;
  readonly arbitrary: fc.Arbitrary<Operation>;
}

export function weighted(weight: number, arbitrary: fc.Arbitrary<Operation>): Weighted {
  return { weight, arbitrary };
}
