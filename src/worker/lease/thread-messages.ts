import type { ClientConfig } from 'pg';

/** What the lease thread is given at its start. */
export interface ThreadData {
  readonly settings: ClientConfig;
  /** The text of `renewHeld` for the namespace's bucket. */
  readonly statement: string;
  readonly lifetimeMs: number;
  readonly buffers: readonly SharedArrayBuffer[];
}

/** What the main thread tells the lease thread. */
export type ToThread =
  | { readonly type: 'grown'; readonly buffer: SharedArrayBuffer }
  /** What was asked for because renewing fails has been dealt with. */
  | { readonly type: 'answered' }
  | { readonly type: 'stop' };

/** What the lease thread tells the main thread. */
export type FromThread =
  | { readonly type: 'ready' }
  /**
   * These attempts, each a slot and a generation one after the other, are not known to the database as held (the problem is null), or
   * cannot be renewed by the thread: the main thread is to do so, or to find out what has become of them.
   */
  | { readonly type: 'ask'; readonly problem: string | null; readonly slots: Int32Array };
