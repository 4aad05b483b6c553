/** Something that happened to work units of a namespace, as `namespace.events()` tells it. */
export type NamespaceEvent =
  /** Units were added or replaced in one call, or in several of one transaction. */
  | { readonly kind: 'added'; readonly workSpec: string; readonly count: number }
  | AttemptEvent
  /** The connection was lost, or the consumer too slow: things may have happened here that are not told. */
  | { readonly kind: 'missed' };

/** Something became of an attempt. */
export interface AttemptEvent {
  readonly kind: 'started' | 'finished' | 'failed' | 'retried' | 'expired' | 'cancelled';
  /** The name of the work spec. */
  readonly workSpec: string;
  /** The name of the work unit. */
  readonly workUnit: string;
  /** The number of the attempt. */
  readonly attempt: number;
  /** The name of the worker. */
  readonly worker: string;
  /** When it started, or ended, by the clock of the queue. */
  readonly time: Date;
}
