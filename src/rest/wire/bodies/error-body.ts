import { errorRegistry, ServerFailureError, type CoordinateError, type ErrorCode, type ErrorDetails } from '../../../errors/index.js';
import { errorOf, isErrorCode } from '../error-of.js';
import { member, objectMember, textMember, type Body } from '../members.js';

/** The body of every answer that is no success, and of each verdict that is none. */
export interface ErrorBody {
  /** The name that existing clients know it by; "error" for those that have none. */
  readonly error: string;
  readonly message: string;
  /** The name that is meant, of a namespace, work spec or work unit that is not there. */
  readonly value?: string;
  /** The stable code of this package: an addition. */
  readonly code: ErrorCode;
  /** What the message was made of: an addition. */
  readonly details: ErrorDetails;
}

/** Codes whose detail `name` existing clients look for in `value`. */
const named: readonly ErrorCode[] = ['NoSuchWorkSpec', 'NoSuchWorkUnit'];

export function errorToBody(error: CoordinateError): ErrorBody {
  const { code, details, message } = error;
  return {
    error: errorRegistry[code].wire,
    message,
    ...(named.includes(code) && { value: String(details.name ?? '') }),
    code,
    details,
  };
}

/** The error that an answer tells of, be it of this server or of another that speaks the protocol. Never raises. */
export function errorFromBody(body: Body): CoordinateError {
  const message = readable(() => textMember(body, 'message')) ?? '';
  const code = member(body, 'code');
  if (typeof code === 'string' && isErrorCode(code)) {
    return errorOf(code, (readable(() => objectMember(body, 'details')) ?? {}) as ErrorDetails);
  }
  const wire = member(body, 'error');
  const known = wire === 'error' ? undefined : Object.entries(errorRegistry).find(([, entry]) => entry.wire === wire);
  if (known === undefined) return new ServerFailureError(message === '' ? String(wire) : message);
  return errorOf(known[0] as ErrorCode, { name: readable(() => textMember(body, 'value')) ?? '' });
}

/** What is not as it should be in an error is passed over: the error matters more. */
function readable<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
