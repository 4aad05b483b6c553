import {
  CannotConnectError,
  ConnectionLostError,
  CoordinateError,
  InvalidArgumentError,
  LostLeaseError,
  SchemaMissingError,
} from '../errors/index.js';

/** The five-character SQLSTATE of a PostgreSQL error; undefined for any other value. (EPIPE has five letters, too, but no digit.) */
export function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  const { code } = error;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && /\d/.test(code) ? code : undefined;
}

/** 40001 (serialization failure) and 40P01 (deadlock): the transaction did nothing, and may succeed when tried again. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}

/** Errors of Node's sockets, and those that `pg` makes itself when a connection ends under it: these have no SQLSTATE. */
const lostConnection =
  /ECONNRESET|EPIPE|ETIMEDOUT|ENOTCONN|Connection terminated|connection error and is not queryable|Connection ended unexpectedly/;

/** Whether the connection broke, so that nobody knows what became of the statement. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  // 08: connection exceptions; 57P01-57P03: the server is going down, has crashed, or is coming up.
  if (state !== undefined) return state.startsWith('08') || /^57P0[1-3]$/.test(state);
  if (error instanceof CoordinateError) return error instanceof ConnectionLostError;
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return lostConnection.test(`${code} ${error.message}`);
}

/** What the caller is told: errors that have a class of ours become one; all others are handed on as they are. */
export function translateError(error: unknown, schema: string): unknown {
  if (error instanceof CoordinateError) return error;
  const cause = { cause: error };
  switch (sqlState(error)) {
    case 'PC001':
      return new LostLeaseError();
    case '3F000':
    case '42P01':
    case '42883':
      return new SchemaMissingError(schema);
    case '22003':
      return new InvalidArgumentError('number', 'is out of the range PostgreSQL can hold', cause);
    default:
      return translateConnectionLoss(error);
  }
}

/** A broken connection becomes ConnectionLost; all other errors are handed on as they are. */
export function translateConnectionLoss(error: unknown): unknown {
  if (error instanceof CoordinateError || !isConnectionLoss(error)) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new ConnectionLostError(message, { cause: error });
}

/** An error met while connecting. */
export function translateConnectError(error: unknown, target: string): unknown {
  if (error instanceof CoordinateError) return error;
  const message = error instanceof Error ? error.message || String((error as { code?: unknown }).code) : String(error);
  return new CannotConnectError(target, message, { cause: error });
}
