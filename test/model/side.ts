import type { Attempt } from '../../src/core/attempt/attempt.js';
import type { Coordinate } from '../../src/core/coordinate.js';

/** One of the two implementations that run side by side, with the objects that the commands so far have got hold of. */
export class Side {
  /** Every attempt handed out, in order: the same place means the same attempt on both sides. */
  readonly made: Attempt[] = [];
  /** The latest object got by each path of names; it may have been deleted since. */
  readonly held = new Map<string, unknown>();

  constructor(
    readonly coordinate: Coordinate,
    /** What both sides share. */
    readonly world: World,
  ) {}
}

/** What a command can change that neither side holds. */
export interface World {
  /** What the scheduler's `random` gives, however often it is asked. */
  random: number;
  /** Which of the attempts handed out are pending, as the reference has it at the start of each operation. */
  pending: readonly number[];
}
