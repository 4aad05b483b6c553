import { constants } from 'node:os';

/** Somebody has told the command to end. */
export class InterruptedError extends Error {
  readonly exitCode: number;

  constructor(signal: NodeJS.Signals) {
    super(`ended by ${signal}`);
    // As shells have it: 130 for Ctrl-C.
    this.exitCode = 128 + constants.signals[signal];
  }
}
