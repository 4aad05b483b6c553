import { CoordinateError } from './coordinate-error.js';

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

/** There is no worker of this name in the namespace, and who asks may not make one (over HTTP only). */
export class NoSuchWorkerError extends CoordinateError {
  constructor(name: string) {
    super('NoSuchWorker', { name });
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

/** A server without tokens was asked by a page of somebody else, in somebody's browser. */
export class ForeignOriginError extends CoordinateError {
  constructor(origin: string) {
    super('ForeignOrigin', { origin });
  }
}

/** A client sends more requests than a server takes from one address. */
export class TooManyRequestsError extends CoordinateError {
  constructor(limit: number) {
    super('TooManyRequests', { limit });
  }
}

/** Too many bytes of requests are under way at a server; nothing of this one was done. */
export class ServerBusyError extends CoordinateError {
  constructor() {
    super('ServerBusy');
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
