import { CannotConnectError, ConnectionLostError, RetriesExhaustedError } from '../../errors/index.js';

/** Whether an error has to do with the state of the database at this moment, so that it may be over the next time. */
export function mayPass(error: unknown): boolean {
  return error instanceof ConnectionLostError || error instanceof CannotConnectError || error instanceof RetriesExhaustedError;
}
