import type { ManualClock } from '../../clock/index.js';
import type { Coordinate } from '../../core/coordinate.js';
import type { Namespace } from '../../core/namespace/namespace.js';

/** The headings of the model that cases are filed under. */
export type ConformanceSection =
  | 'Objects'
  | 'Status'
  | 'Errors'
  | 'Namespace'
  | 'Work spec'
  | 'Work unit'
  | 'Worker'
  | 'Attempt'
  | 'Scheduling'
  | 'Chaining'
  | 'Time'
  | 'Beyond the original';

/** What one case works with. */
export interface ConformanceContext {
  readonly coordinate: Coordinate;
  /** The clock of every connection of the case. */
  readonly clock: ManualClock;
  /** Fresh, and this case's own. */
  readonly namespace: Namespace;
  /** Whether the implementation speaks over a wire, where a deleted object may be answered with NoSuch… instead of Gone. */
  readonly overTheWire: boolean;
  /**
   * A further connection, by the same clock; closed when the case has ended. It reaches the same backend in cases that need a
   * shared one, and may reach another in all others.
   */
  connect(): Promise<Coordinate>;
  /** Replaces the random numbers in [0, 1) that the scheduler draws, for this case. By default they come from a fixed seed. */
  setRandom(next: () => number): void;
}

/** One behaviour, proved through the interfaces alone. */
export interface ConformanceCase {
  /** The behaviour, as a sentence; unique. */
  readonly name: string;
  readonly section: ConformanceSection;
  /** Whether the case needs two connections to one backend. */
  readonly needsSharedBackend: boolean;
  /** Resolves when the behaviour was seen; raises an AssertionError, or what the implementation raised, when not. */
  run(context: ConformanceContext): Promise<void>;
}

/** Files the behaviours of a record under one section. */
export function cases(
  section: ConformanceSection,
  behaviours: Readonly<Record<string, ConformanceCase['run']>>,
  { needsSharedBackend = false } = {},
): ConformanceCase[] {
  return Object.entries(behaviours).map(([name, run]) => ({ name, section, needsSharedBackend, run }));
}
