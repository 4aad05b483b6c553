import type { DataDictionary } from '../../codec/index.js';
import type { AttemptStatus } from '../attempt/attempt-status.js';
import type { Attempt } from '../attempt/attempt.js';

/** What a connection is about to do for its caller. */
export interface Operation {
  /** Adds units to a work spec, or asks for work. */
  readonly kind: 'add' | 'request';
  readonly namespace: string;
  /** Where it is known beforehand. */
  readonly workSpec?: string;
  /** Of one unit that is added by itself. */
  readonly workUnit?: string;
}

/** A request for work that was answered, or failed. */
export interface AnsweredRequest {
  readonly namespace: string;
  /** All of one work spec; none: there was nothing to do, or it failed. */
  readonly attempts: readonly Attempt[];
  readonly durationMs: number;
  readonly failed: boolean;
}

/** Attempts of one namespace that somebody has ended, by report or by cancelling; committed. */
export interface EndedAttempts {
  readonly status: Exclude<AttemptStatus, 'pending'>;
  readonly attempts: readonly Attempt[];
}

/** Attempts that ended without anybody's report on them; committed. */
export interface LapsedAttempts {
  /** Spent: failed when they were claimed, for their units had had all their retries. Superseded: another attempt was forced on the unit. */
  readonly cause: 'spent' | 'superseded';
  readonly namespace: string;
  readonly workSpec: string;
  readonly count: number;
}

/**
 * Is told what a connection does, for metrics and traces (`pg-coordinate/telemetry` has both); given to `connect()`. Each member may be
 * left out, and then costs nothing. They are called on the way of every claim and report: they must be quick, and must not throw.
 */
export interface Telemetry {
  /** Stands around an operation: calls `run` once, before it returns, and resolves to what that does. */
  readonly around?: <T>(operation: Operation, run: () => Promise<T>) => Promise<T>;
  /** Is given the data of each unit that is added, after their schema has checked them; what it returns is what is stored. */
  readonly stamp?: (data: DataDictionary) => DataDictionary;
  readonly onAnswered?: (request: AnsweredRequest) => void;
  /** An attempt that was forced on a unit. */
  readonly onForced?: (attempt: Attempt) => void;
  readonly onEnded?: (ended: EndedAttempts) => void;
  readonly onLapsed?: (lapsed: LapsedAttempts) => void;
  /** So many leases have run out, as this connection was the first to see. */
  readonly onExpired?: (count: number) => void;
}
