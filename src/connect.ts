import type { ConnectOptions } from './core/connect-options.js';
import { connect as connectPostgres, type ConnectTarget } from './core/connect.js';
import type { PostgresCoordinate } from './core/postgres-coordinate.js';
import type { RestClientOptions } from './rest/client/rest-client-options.js';
import type { RestCoordinate } from './rest/client/rest-coordinate.js';

/**
 * Connects to a queue: on PostgreSQL, or over HTTP to `pg-coordinate serve` or any other server of Coordinate's REST protocol.
 *
 * On PostgreSQL the tables must be there and of this version: call `migrate()` first, or give the option `migrate: true`. Raises
 * CannotConnect, SchemaMissing, SchemaTooOld, SchemaTooNew, UnsupportedServer, InvalidArgument; over HTTP what `connectRest` of
 * `pg-coordinate/rest` raises: ServerUnreachable, UnexpectedAnswer, InvalidArgument. Over HTTP there are no transactions: what would need
 * one raises InvalidArgument, and says so.
 *
 * A program that is told at run time where its queue is declares the result as a `Coordinate`: text that is not known to begin with http is
 * taken for a PostgreSQL by the types.
 *
 * @example
 * await using coordinate = await connect('postgres://localhost/app', { migrate: true });
 * const spec = await (await coordinate.namespace('')).setWorkSpec({ name: 'thumbnails' });
 * await spec.addWorkUnits([{ name: 'cat.jpg', data: { width: 120 } }]);
 * @example
 * await using coordinate = await connect('http://127.0.0.1:5980');
 */
export function connect(target: `http://${string}` | `https://${string}`, options?: RestClientOptions): Promise<RestCoordinate>;
export function connect(target?: ConnectTarget, options?: ConnectOptions): Promise<PostgresCoordinate>;
export async function connect(
  target?: ConnectTarget,
  options?: ConnectOptions | RestClientOptions,
): Promise<PostgresCoordinate | RestCoordinate> {
  if (typeof target !== 'string' || !/^https?:/i.test(target)) return connectPostgres(target, options as ConnectOptions);
  // Who never asks for it does not wait for an HTTP client to be loaded.
  const { connectRest } = await import('./rest/client/connect-rest.js');
  return connectRest(target, options as RestClientOptions);
}
