import { CoordinateError } from './coordinate-error.js';

/** The definition of a work spec has no `name`. */
export class NoWorkSpecNameError extends CoordinateError {
  constructor() {
    super('NoWorkSpecName');
  }
}

/** The `name` of a work spec is not a string, or empty. */
export class BadWorkSpecNameError extends CoordinateError {
  constructor() {
    super('BadWorkSpecName');
  }
}

/** `workSpec.setData` was given a definition with another name. */
export class ChangedNameError extends CoordinateError {
  constructor() {
    super('ChangedName');
  }
}

/** The attempt is no longer its unit's active one: the lease ran out, or the unit was given to another worker. */
export class LostLeaseError extends CoordinateError {
  constructor() {
    super('LostLease');
  }
}

/** The attempt has already ended. */
export class NotPendingError extends CoordinateError {
  constructor() {
    super('NotPending');
  }
}

/** A work spec that its definition does not declare continuous cannot be made so (raised over CBOR-RPC only). */
export class CannotBecomeContinuousError extends CoordinateError {
  constructor() {
    super('CannotBecomeContinuous');
  }
}

/** Two objects that belong to different connections were combined, such as a worker of one and a unit of another. */
export class WrongBackendError extends CoordinateError {
  constructor() {
    super('WrongBackend');
  }
}

/** There is nothing to do (raised where an interface cannot answer with an empty list). */
export class NoWorkError extends CoordinateError {
  constructor() {
    super('NoWork');
  }
}

/** An item that should describe a work unit is not a list. */
export class WorkUnitNotListError extends CoordinateError {
  constructor() {
    super('WorkUnitNotList');
  }
}

/** An item that should describe a work unit has fewer than two members. */
export class WorkUnitTooShortError extends CoordinateError {
  constructor() {
    super('WorkUnitTooShort');
  }
}

/** The priority of a work unit is not a finite number. */
export class BadPriorityError extends CoordinateError {
  constructor() {
    super('BadPriority');
  }
}

/** The object, or what it belongs to, was deleted. */
export class GoneError extends CoordinateError {
  constructor() {
    super('Gone');
  }
}

/** There is no namespace of this name. */
export class NoSuchNamespaceError extends CoordinateError {
  constructor(name: string) {
    super('NoSuchNamespace', { name });
  }
}

/** There is no work spec of this name in the namespace. */
export class NoSuchWorkSpecError extends CoordinateError {
  constructor(name: string) {
    super('NoSuchWorkSpec', { name });
  }
}

/** There is no work unit of this name in the work spec. */
export class NoSuchWorkUnitError extends CoordinateError {
  constructor(name: string) {
    super('NoSuchWorkUnit', { name });
  }
}

/** A caller's value is not what is asked for. `details.field` names it. */
export class InvalidArgumentError extends CoordinateError {
  constructor(field: string, problem: string, options?: ErrorOptions) {
    super('InvalidArgument', { field, problem }, options);
  }
}

/** Bytes are not the CBOR of a value this package can hold. */
export class BadCborError extends CoordinateError {
  constructor(problem: string, options?: ErrorOptions) {
    super('BadCbor', { problem }, options);
  }
}

/** The connection was closed by `coordinate.close()`. */
export class ClosedError extends CoordinateError {
  constructor() {
    super('Closed');
  }
}

/** The connection broke while a statement was under way: it may or may not have taken effect. */
export class ConnectionLostError extends CoordinateError {
  constructor(problem: string, options?: ErrorOptions) {
    super('ConnectionLost', { problem }, options);
  }
}

/** The server could not be reached, or refused the connection. The target is shown without its password. */
export class CannotConnectError extends CoordinateError {
  constructor(target: string, problem: string, options?: ErrorOptions) {
    super('CannotConnect', { target, problem }, options);
  }
}

/** A transaction met more serialization failures or deadlocks than it was allowed to retry. Nothing was changed. */
export class RetriesExhaustedError extends CoordinateError {
  constructor(attempts: number, options?: ErrorOptions) {
    super('RetriesExhausted', { attempts }, options);
  }
}

/** The schema holds no tables of this package. */
export class SchemaMissingError extends CoordinateError {
  constructor(schema: string) {
    super('SchemaMissing', { schema });
  }
}

/** The schema lacks a migration that this version of the package needs. */
export class SchemaTooOldError extends CoordinateError {
  constructor(schema: string, missing: string) {
    super('SchemaTooOld', { schema, missing });
  }
}

/** The schema has a migration that this version of the package does not know. */
export class SchemaTooNewError extends CoordinateError {
  constructor(schema: string, unknown: string) {
    super('SchemaTooNew', { schema, unknown });
  }
}

/** The server is older than what this package supports. */
export class UnsupportedServerError extends CoordinateError {
  constructor(version: string) {
    super('UnsupportedServer', { version });
  }
}

/** The embedded PostgreSQL could not be installed or started. */
export class EmbeddedPostgresError extends CoordinateError {
  constructor(problem: string, options?: ErrorOptions) {
    super('EmbeddedPostgres', { problem }, options);
  }
}

/** Somebody has cancelled the work unit: `unit.cancel(reason)`. */
export class CancelledError extends CoordinateError {
  constructor(reason: string) {
    super('Cancelled', { reason });
  }
}

/** The worker that runs the handler is stopping, and the time of grace is over. */
export class ShuttingDownError extends CoordinateError {
  constructor() {
    super('ShuttingDown');
  }
}

/** A handler has had its maximum run time, or is about to have had it. */
export class RunTimeExceededError extends CoordinateError {
  constructor(limitMs: number) {
    super('RunTimeExceeded', { limitMs });
  }
}

/** The thread or process in which a handler ran is no more. */
export class HandlerCrashedError extends CoordinateError {
  constructor(place: 'thread' | 'process', problem: string, options?: ErrorOptions) {
    super('HandlerCrashed', { place, problem }, options);
  }
}

/** A work unit that was waited for has not ended in time. It goes on. */
export class WaitTimeoutError extends CoordinateError {
  constructor(name: string, timeoutMs: number) {
    super('WaitTimeout', { name, timeoutMs });
  }
}

/** A request over HTTP, or a part of it, is not in the form it should have. */
export class MalformedRequestError extends CoordinateError {
  constructor(problem: string, options?: ErrorOptions) {
    super('MalformedRequest', { problem }, options);
  }
}

/** A work spec was to be made without a definition (over HTTP only). */
export class MissingDataError extends CoordinateError {
  constructor() {
    super('MissingData');
  }
}

/** The work unit has no attempt of this number, or it is another worker's (over HTTP only). */
export class NoSuchAttemptError extends CoordinateError {
  constructor() {
    super('NoSuchAttempt');
  }
}

/** The URL is there, but not for this HTTP method. */
export class MethodNotAllowedError extends CoordinateError {
  constructor(method: string) {
    super('MethodNotAllowed', { method });
  }
}

/** The server cannot answer in any of the media types that the client accepts. */
export class NotAcceptableError extends CoordinateError {
  constructor() {
    super('NotAcceptable');
  }
}

/** The body of a request is larger than the server allows. */
export class RequestTooLargeError extends CoordinateError {
  constructor(limit: number) {
    super('RequestTooLarge', { limit });
  }
}

/** The body of a request or of an answer is of a media type that cannot be read. */
export class UnsupportedMediaTypeError extends CoordinateError {
  constructor(type: string) {
    super('UnsupportedMediaType', { type });
  }
}

/** A server has answered with an error that has no code of its own. */
export class ServerFailureError extends CoordinateError {
  constructor(problem: string, options?: ErrorOptions) {
    super('ServerFailure', { problem }, options);
  }
}

/** A server could not be started, because its address is taken, or is not this machine's. */
export class CannotListenError extends CoordinateError {
  constructor(address: string, problem: string, options?: ErrorOptions) {
    super('CannotListen', { address, problem }, options);
  }
}

/** A server that asks for a token was sent none, or one that is not, or no longer, worth anything. */
export class NotAuthenticatedError extends CoordinateError {
  constructor(problem: string) {
    super('NotAuthenticated', { problem });
  }
}

/** The token is known, but does not allow this. */
export class NotAllowedError extends CoordinateError {
  constructor(token: string, role: string, where: string) {
    super('NotAllowed', { token, role, where });
  }
}

/** A server without tokens was reached by a name that is not its own: a web page in somebody's browser may have done that. */
export class ForeignHostError extends CoordinateError {
  constructor(host: string) {
    super('ForeignHost', { host });
  }
}

/** A client sends more requests than a server takes from one address. */
export class TooManyRequestsError extends CoordinateError {
  constructor(limit: number) {
    super('TooManyRequests', { limit });
  }
}

/** As many follow events as the server serves at a time. */
export class TooManyStreamsError extends CoordinateError {
  constructor(limit: number) {
    super('TooManyStreams', { limit });
  }
}

/** The file of the tokens that a server knows is not there, or cannot be read. */
export class BadTokenFileError extends CoordinateError {
  constructor(path: string, problem: string, options?: ErrorOptions) {
    super('BadTokenFile', { path, problem }, options);
  }
}

/** A server over HTTP cannot be reached, or the connection to it broke: what was under way may or may not have taken effect. */
export class ServerUnreachableError extends CoordinateError {
  constructor(url: string, problem: string, options?: ErrorOptions) {
    super('ServerUnreachable', { url, problem }, options);
  }
}

/** What answers over HTTP is no server of the protocol, or something in between answers for it. */
export class UnexpectedAnswerError extends CoordinateError {
  constructor(url: string, problem: string, options?: ErrorOptions) {
    super('UnexpectedAnswer', { url, problem }, options);
  }
}

/** The server speaks the protocol, but not this addition to it. */
export class NotOfferedError extends CoordinateError {
  constructor(feature: string) {
    super('NotOffered', { feature });
  }
}
