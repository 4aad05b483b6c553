import { Connection } from './connection.js';
import { checkRestClientOptions, type RestClientOptions } from './rest-client-options.js';
import { RestCoordinate } from './rest-coordinate.js';

/**
 * Connects to a queue over HTTP: to `pg-coordinate serve`, or to any other server of Coordinate's REST protocol. What comes back is used as
 * a connection to PostgreSQL is, by workers too; only transactions are not to be had.
 *
 * It follows links from the root, speaks CBOR where the server offers it, and uses what this server adds to the protocol where it
 * is linked. Requests that can be sent twice without harm (GET, PUT, PATCH, DELETE) are sent again when the connection breaks; others only
 * when they have certainly not arrived.
 *
 * @throws ServerUnreachableError when nobody answers
 * @throws UnexpectedAnswerError when what answers is no such server, or wants a token
 * @throws InvalidArgumentError for a URL or an option that cannot be
 * @example
 * await using coordinate = await connectRest('http://127.0.0.1:5980', { token: process.env.QUEUE_TOKEN });
 * const spec = await (await coordinate.namespace('')).workSpec('thumbnails');
 * await spec.addWorkUnits([{ name: 'cat.jpg', data: { width: 120 } }]);
 */
export async function connectRest(target: string, options?: RestClientOptions): Promise<RestCoordinate> {
  const connection = new Connection(checkRestClientOptions(target, options));
  try {
    await connection.open();
  } catch (error) {
    await connection.close();
    throw error;
  }
  return new RestCoordinate(connection);
}
