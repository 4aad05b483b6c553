import type { ToHost } from './host-messages.js';

/** How a host has ended. */
export interface HostEnding {
  /** Such as "exit code 1". */
  readonly problem: string;
  readonly cause?: unknown;
}

/** The worker's end of a thread or process. */
export interface HostChannel {
  /** Told of everything the host says; what a host says may be anything. */
  onMessage: (message: unknown) => void;
  /** Resolves when the host is no more. */
  readonly ended: Promise<HostEnding>;
  send(message: ToHost): void;
  /** Asks it to end. */
  terminate(): void;
  /** Ends it at once, whatever it is doing. */
  kill(): void;
  /** Keeps the worker's process alive, or lets it end. */
  ref(): void;
  unref(): void;
}
