import { sqlState } from './translate-error.js';
import { CannotConnectError, ConnectionLostError, RetriesExhaustedError, ServerUnreachableError } from '../errors/index.js';

/**
 * The connection broke; a statement or a lock took too long; the server is short of memory, disk or connections, is being operated upon, or
 * is a standby for the moment.
 */
const passing = /^((08|53|57|58)...|55P03|25006)$/;

const passingErrors = [ConnectionLostError, CannotConnectError, RetriesExhaustedError, ServerUnreachableError];

/** Whether an error has to do with the state of the database, or of the server in between, at this moment, so that it may be over the next time. */
export function mayPass(error: unknown): boolean {
  if (passingErrors.some((each) => error instanceof each)) return true;
  // The driver's own, for `query_timeout`: it has no code.
  if (error instanceof Error && error.message === 'Query read timeout') return true;
  return passing.test(sqlState(error) ?? sqlState((error as Error | undefined)?.cause) ?? '');
}
