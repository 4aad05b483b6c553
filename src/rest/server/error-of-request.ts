import {
  CoordinateError,
  MalformedRequestError,
  RequestTooLargeError,
  ServerFailureError,
  UnsupportedMediaTypeError,
} from '../../errors/index.js';
import { withoutPlaces } from '../../errors/without-places.js';

/** What a request may raise, as what the client is told. The framework has errors of its own; of any other the client learns nothing. */
export function errorOfRequest(
  error: unknown,
  { contentType, bodyLimitBytes, report }: { contentType: string | undefined; bodyLimitBytes: number; report: (error: unknown) => void },
): CoordinateError {
  if (error instanceof CoordinateError) {
    const told = withoutPlaces(error);
    if (told !== error) report(error.message);
    return told;
  }
  const { code, statusCode } = error as { code?: unknown; statusCode?: unknown };
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new RequestTooLargeError(bodyLimitBytes);
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new UnsupportedMediaTypeError((contentType ?? '').slice(0, 100));
    case 'FST_ERR_BAD_URL':
      return new MalformedRequestError('its path is not percent-encoded UTF-8');
  }
  // What the framework finds wrong with a request, such as a body that is shorter than was said.
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    return new MalformedRequestError(error instanceof Error ? error.message : String(error), { cause: error });
  }
  report(error);
  return new ServerFailureError('an unexpected error; the log of the server says more', { cause: error });
}
