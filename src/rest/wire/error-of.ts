import * as errors from '../../errors/index.js';
import { errorRegistry, type CoordinateError, type ErrorCode, type ErrorDetails } from '../../errors/index.js';

/** Makes the error of a code from its details: how what a server has raised is raised again at the client. */
const makers: Readonly<Record<ErrorCode, (text: (name: string) => string, number: (name: string) => number) => CoordinateError>> = {
  NoWorkSpecName: () => new errors.NoWorkSpecNameError(),
  BadWorkSpecName: () => new errors.BadWorkSpecNameError(),
  ChangedName: () => new errors.ChangedNameError(),
  LostLease: () => new errors.LostLeaseError(),
  NotPending: () => new errors.NotPendingError(),
  CannotBecomeContinuous: () => new errors.CannotBecomeContinuousError(),
  WrongBackend: () => new errors.WrongBackendError(),
  NoWork: () => new errors.NoWorkError(),
  WorkUnitNotList: () => new errors.WorkUnitNotListError(),
  WorkUnitTooShort: () => new errors.WorkUnitTooShortError(),
  BadPriority: () => new errors.BadPriorityError(),
  Gone: () => new errors.GoneError(),
  NoSuchNamespace: (text) => new errors.NoSuchNamespaceError(text('name')),
  NoSuchWorkSpec: (text) => new errors.NoSuchWorkSpecError(text('name')),
  NoSuchWorkUnit: (text) => new errors.NoSuchWorkUnitError(text('name')),
  InvalidArgument: (text) => new errors.InvalidArgumentError(text('field'), text('problem')),
  BadCbor: (text) => new errors.BadCborError(text('problem')),
  Closed: () => new errors.ClosedError(),
  ConnectionLost: (text) => new errors.ConnectionLostError(text('problem')),
  CannotConnect: (text) => new errors.CannotConnectError(text('target'), text('problem')),
  RetriesExhausted: (_, number) => new errors.RetriesExhaustedError(number('attempts')),
  SchemaMissing: (text) => new errors.SchemaMissingError(text('schema')),
  SchemaTooOld: (text) => new errors.SchemaTooOldError(text('schema'), text('missing')),
  SchemaTooNew: (text) => new errors.SchemaTooNewError(text('schema'), text('unknown')),
  UnsupportedServer: (text) => new errors.UnsupportedServerError(text('version')),
  Cancelled: (text) => new errors.CancelledError(text('reason')),
  ShuttingDown: () => new errors.ShuttingDownError(),
  RunTimeExceeded: (_, number) => new errors.RunTimeExceededError(number('limitMs')),
  HandlerCrashed: (text) => new errors.HandlerCrashedError(text('place') === 'thread' ? 'thread' : 'process', text('problem')),
  WaitTimeout: (text, number) => new errors.WaitTimeoutError(text('name'), number('timeoutMs')),
  MalformedRequest: (text) => new errors.MalformedRequestError(text('problem')),
  MissingData: () => new errors.MissingDataError(),
  NoSuchWorker: (text) => new errors.NoSuchWorkerError(text('name')),
  NoSuchAttempt: () => new errors.NoSuchAttemptError(),
  MethodNotAllowed: (text) => new errors.MethodNotAllowedError(text('method')),
  NotAcceptable: () => new errors.NotAcceptableError(),
  RequestTooLarge: (_, number) => new errors.RequestTooLargeError(number('limit')),
  UnsupportedMediaType: (text) => new errors.UnsupportedMediaTypeError(text('type')),
  NotAuthenticated: (text) => new errors.NotAuthenticatedError(text('problem')),
  NotAllowed: (text) => new errors.NotAllowedError(text('token'), text('role'), text('where')),
  ForeignHost: (text) => new errors.ForeignHostError(text('host')),
  ForeignOrigin: (text) => new errors.ForeignOriginError(text('origin')),
  TooManyRequests: (_, number) => new errors.TooManyRequestsError(number('limit')),
  ServerBusy: () => new errors.ServerBusyError(),
  TooManyStreams: (_, number) => new errors.TooManyStreamsError(number('limit')),
  BadTokenFile: (text) => new errors.BadTokenFileError(text('path'), text('problem')),
  CannotListen: (text) => new errors.CannotListenError(text('address'), text('problem')),
  ServerFailure: (text) => new errors.ServerFailureError(text('problem')),
  ServerUnreachable: (text) => new errors.ServerUnreachableError(text('url'), text('problem')),
  UnexpectedAnswer: (text) => new errors.UnexpectedAnswerError(text('url'), text('problem')),
  NotOffered: (text) => new errors.NotOfferedError(text('feature')),
  EmbeddedPostgres: (text) => new errors.EmbeddedPostgresError(text('problem')),
};

export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorRegistry, text);
}

/** The error of a code, of its own class; details that are missing show as nothing. */
export function errorOf(code: ErrorCode, details: ErrorDetails): CoordinateError {
  const detail = (name: string): string | number | undefined => (Object.hasOwn(details, name) ? details[name] : undefined);
  return makers[code](
    (name) => `${detail(name) ?? ''}`,
    (name) => Number(detail(name) ?? 0),
  );
}
