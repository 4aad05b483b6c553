import type { CoordinateError } from './coordinate-error.js';
import { CannotConnectError, ConnectionLostError } from './errors.js';

const more = 'the log of the server says more';

/**
 * An error as a server's clients are told it: of the same code, but without where its database is, and in whose name, and in what words it was refused.
 * An error that names nothing of this is itself.
 */
export function withoutPlaces(error: CoordinateError): CoordinateError {
  switch (error.code) {
    case 'CannotConnect':
      return new CannotConnectError('its place', more, { cause: error });
    case 'ConnectionLost':
      return new ConnectionLostError(more, { cause: error });
    default:
      return error;
  }
}
