import * as root from 'pg-coordinate';
import { CoordinateError, errorRegistry, type ErrorCode } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';

const codes = Object.keys(errorRegistry) as ErrorCode[];
const cause = new Error('the cause');

/** One of each, with what its constructor takes. */
const examples: Readonly<Record<ErrorCode, CoordinateError>> = {
  NoWorkSpecName: new root.NoWorkSpecNameError(),
  BadWorkSpecName: new root.BadWorkSpecNameError(),
  ChangedName: new root.ChangedNameError(),
  LostLease: new root.LostLeaseError(),
  NotPending: new root.NotPendingError(),
  CannotBecomeContinuous: new root.CannotBecomeContinuousError(),
  WrongBackend: new root.WrongBackendError(),
  NoWork: new root.NoWorkError(),
  WorkUnitNotList: new root.WorkUnitNotListError(),
  WorkUnitTooShort: new root.WorkUnitTooShortError(),
  BadPriority: new root.BadPriorityError(),
  Gone: new root.GoneError(),
  NoSuchNamespace: new root.NoSuchNamespaceError('blue'),
  NoSuchWorkSpec: new root.NoSuchWorkSpecError('blue'),
  NoSuchWorkUnit: new root.NoSuchWorkUnitError('blue'),
  InvalidArgument: new root.InvalidArgumentError('limit', 'must be a number', { cause }),
  BadCbor: new root.BadCborError('it ends too early', { cause }),
  Closed: new root.ClosedError(),
  ConnectionLost: new root.ConnectionLostError('it broke', { cause }),
  CannotConnect: new root.CannotConnectError('db.example:5432/app', 'nobody listens', { cause }),
  RetriesExhausted: new root.RetriesExhaustedError(21, { cause }),
  SchemaMissing: new root.SchemaMissingError('coordinate'),
  SchemaTooOld: new root.SchemaTooOldError('coordinate', '0002_more'),
  SchemaTooNew: new root.SchemaTooNewError('coordinate', '9999_future'),
  UnsupportedServer: new root.UnsupportedServerError('9.6'),
  Cancelled: new root.CancelledError('no longer wanted'),
  ShuttingDown: new root.ShuttingDownError(),
  RunTimeExceeded: new root.RunTimeExceededError(60_000),
  HandlerCrashed: new root.HandlerCrashedError('process', 'exit code 1', { cause }),
  WaitTimeout: new root.WaitTimeoutError('blue', 500),
  MalformedRequest: new root.MalformedRequestError('it is no JSON', { cause }),
  MissingData: new root.MissingDataError(),
  NoSuchWorker: new root.NoSuchWorkerError('blue'),
  NoSuchAttempt: new root.NoSuchAttemptError(),
  MethodNotAllowed: new root.MethodNotAllowedError('PATCH'),
  NotAcceptable: new root.NotAcceptableError(),
  RequestTooLarge: new root.RequestTooLargeError(1024),
  UnsupportedMediaType: new root.UnsupportedMediaTypeError('text/xml'),
  NotAuthenticated: new root.NotAuthenticatedError('the token has expired'),
  NotAllowed: new root.NotAllowedError('farm', 'admin', 'the namespace "blue"'),
  ForeignHost: new root.ForeignHostError('"evil.example"'),
  ForeignOrigin: new root.ForeignOriginError('"https://evil.example"'),
  TooManyRequests: new root.TooManyRequestsError(100),
  ServerBusy: new root.ServerBusyError(),
  TooManyStreams: new root.TooManyStreamsError(100),
  BadTokenFile: new root.BadTokenFileError('tokens.yaml', 'it is not there', { cause }),
  CannotListen: new root.CannotListenError('127.0.0.1:5980', 'somebody does', { cause }),
  ServerFailure: new root.ServerFailureError('out of order', { cause }),
  ServerUnreachable: new root.ServerUnreachableError('http://queue.example/', 'nobody listens', { cause }),
  UnexpectedAnswer: new root.UnexpectedAnswerError('http://queue.example/', 'it is a page', { cause }),
  NotOffered: new root.NotOfferedError('explain()'),
  EmbeddedPostgres: new root.EmbeddedPostgresError('no binaries', { cause }),
};

/** Other programs match these: a change here breaks them. */
const pinned: Readonly<Record<ErrorCode, readonly [status: number, wire: string, message: string]>> = {
  NoWorkSpecName: [400, 'ErrNoWorkSpecName', "No 'name' key in work spec"],
  BadWorkSpecName: [400, 'ErrBadWorkSpecName', "Work spec 'name' must be a string"],
  ChangedName: [409, 'ErrChangedName', "Cannot change work spec 'name'"],
  LostLease: [409, 'ErrLostLease', 'No longer the active attempt'],
  NotPending: [409, 'ErrNotPending', 'Attempt is not pending'],
  CannotBecomeContinuous: [409, 'ErrCannotBecomeContinuous', 'Cannot make a non-continuous work spec continuous'],
  WrongBackend: [400, 'ErrWrongBackend', 'Cannot combine objects of different connections'],
  NoWork: [404, 'ErrNoWork', 'No work to do'],
  WorkUnitNotList: [400, 'ErrWorkUnitNotList', 'work unit not a list'],
  WorkUnitTooShort: [400, 'ErrWorkUnitTooShort', 'too few parameters to work unit'],
  BadPriority: [400, 'ErrBadPriority', 'priority must be a number'],
  Gone: [410, 'ErrGone', 'Object no longer exists'],
  NoSuchNamespace: [404, 'ErrNoSuchNamespace', 'No such namespace blue'],
  NoSuchWorkSpec: [404, 'ErrNoSuchWorkSpec', 'No such work spec blue'],
  NoSuchWorkUnit: [404, 'ErrNoSuchWorkUnit', 'No such work unit "blue"'],
  InvalidArgument: [400, 'error', 'limit: must be a number'],
  BadCbor: [400, 'error', 'Cannot decode CBOR: it ends too early'],
  Closed: [503, 'error', 'This connection has been closed; connect() again to go on'],
  ConnectionLost: [503, 'error', 'The connection to PostgreSQL was lost: it broke'],
  CannotConnect: [503, 'error', 'Cannot connect to PostgreSQL at db.example:5432/app: nobody listens'],
  RetriesExhausted: [503, 'error', 'The transaction kept colliding with others and was given up after 21 tries; try again later'],
  SchemaMissing: [503, 'error', 'The schema "coordinate" has no pg-coordinate tables; run `pg-coordinate migrate` or call migrate()'],
  SchemaTooOld: [
    503,
    'error',
    'The schema "coordinate" is older than this pg-coordinate (0002_more is missing); run `pg-coordinate migrate` or call migrate()',
  ],
  SchemaTooNew: [503, 'error', 'The schema "coordinate" was migrated by a newer pg-coordinate (it has 9999_future); update this package'],
  UnsupportedServer: [503, 'error', 'PostgreSQL 9.6 is not supported; use PostgreSQL 14 or newer'],
  Cancelled: [409, 'error', 'The work unit was cancelled: no longer wanted'],
  ShuttingDown: [503, 'error', 'The worker is shutting down'],
  RunTimeExceeded: [504, 'error', 'The handler ran longer than its 60000 ms'],
  HandlerCrashed: [500, 'error', 'The process of the handler ended before it had answered: exit code 1'],
  WaitTimeout: [504, 'error', 'The work unit blue has not ended within 500 ms'],
  MalformedRequest: [400, 'error', 'The request cannot be understood: it is no JSON'],
  MissingData: [400, 'error', 'Missing data'],
  NoSuchWorker: [404, 'error', 'No such worker blue'],
  NoSuchAttempt: [404, 'error', 'no such attempt'],
  MethodNotAllowed: [405, 'error', 'Method PATCH not allowed'],
  NotAcceptable: [406, 'error', 'No acceptable representation for response'],
  RequestTooLarge: [413, 'error', 'The request is larger than the 1024 bytes that this server takes; send less at once'],
  UnsupportedMediaType: [415, 'error', 'Unsupported media type "text/xml"'],
  NotAuthenticated: [401, 'error', 'This server asks for a token: the token has expired'],
  NotAllowed: [403, 'error', 'The token "farm" has not got the role admin in the namespace "blue"'],
  ForeignHost: [
    403,
    'error',
    'This server is not known as "evil.example"; reach it by its address or as localhost, or start it with tokens or with this name as an allowed host',
  ],
  ForeignOrigin: [403, 'error', 'Pages of "https://evil.example" may not have a browser use this server; open it by itself, or start it with tokens'],
  TooManyRequests: [429, 'error', 'Too many requests: this server takes 100 in a second from one address; try again later'],
  ServerBusy: [503, 'error', 'This server has as many bytes of requests under way as it takes; try again later, or send less at once'],
  TooManyStreams: [503, 'error', 'This server serves 100 streams of events at a time, and there are as many; try again later'],
  BadTokenFile: [503, 'error', 'The token file tokens.yaml cannot be used: it is not there'],
  CannotListen: [503, 'error', 'Cannot listen on 127.0.0.1:5980: somebody does'],
  ServerFailure: [500, 'error', 'The server could not do it: out of order'],
  ServerUnreachable: [503, 'error', 'The server at http://queue.example/ cannot be reached: nobody listens; see that it runs there, and try again'],
  UnexpectedAnswer: [502, 'error', 'http://queue.example/ does not answer as a Coordinate server: it is a page; see that the URL is right'],
  NotOffered: [501, 'error', 'This server does not offer explain(); `pg-coordinate serve` does'],
  EmbeddedPostgres: [
    503,
    'error',
    'The embedded PostgreSQL could not be started: no binaries; give a DATABASE_URL to use a server of your own',
  ],
};

describe('the registry', () => {
  test('has the codes that are pinned here, and no others', () => {
    expect(codes.toSorted()).toEqual(Object.keys(pinned).toSorted());
  });

  test.each(codes)('has of %s the status, the name on the wire, and the text as they have always been', (code) => {
    const [status, wire, message] = pinned[code];
    expect(errorRegistry[code]).toMatchObject({ status, wire });
    expect(examples[code]).toMatchObject({ code, status, message });
  });

  test('tells the wire names of the model apart', () => {
    const wires = codes.map((code) => errorRegistry[code].wire).filter((wire) => wire !== 'error');
    expect(new Set(wires).size).toBe(wires.length);
    expect(wires.every((wire) => wire.startsWith('Err'))).toBe(true);
  });
});

describe('the class', () => {
  test.each(codes)('of %s is exported, is named after it, and is an Error', (code) => {
    const exported = (root as Readonly<Record<string, unknown>>)[`${code}Error`];
    const example = examples[code];
    expect(typeof exported).toBe('function');
    expect(example.constructor).toBe(exported);
    expect(example).toBeInstanceOf(CoordinateError);
    expect(example).toBeInstanceOf(Error);
    expect(example.name).toBe(`${code}Error`);
    expect(example.constructor.name).toBe(`${code}Error`);
    expect(example.stack).toContain(example.message.split('\n')[0]);
    expect(String(example)).toBe(`${code}Error: ${example.message}`);
  });

  test.each(codes)('of %s fills in its message from its details', (code) => {
    const { message, details } = examples[code];
    expect(message).not.toMatch(/[{}]/);
    const holes = [...errorRegistry[code].text.matchAll(/\{(\w+)\}/g)].map(([, hole]) => hole);
    expect(Object.keys(details).toSorted()).toEqual(holes.toSorted());
    for (const value of Object.values(details)) expect(message).toContain(String(value));
  });

  test.each(['InvalidArgument', 'BadCbor', 'ConnectionLost', 'CannotConnect', 'RetriesExhausted', 'HandlerCrashed', 'MalformedRequest', 'CannotListen', 'ServerFailure', 'EmbeddedPostgres'] as const)(
    'of %s keeps the cause',
    (code) => {
      expect(examples[code].cause).toBe(cause);
    },
  );

  test('is there for every error that is exported', () => {
    const classes = Object.keys(root).filter((name) => name.endsWith('Error') && name !== 'CoordinateError');
    expect(classes.toSorted()).toEqual(codes.map((code) => `${code}Error`).toSorted());
  });
});

test('a detail that looks like a hole, or like a pattern of replacement, is shown as it is', () => {
  expect(new root.InvalidArgumentError('{problem}', '$& {field} $1').message).toBe('{problem}: $& {field} $1');
  expect(new root.NoSuchWorkSpecError('{name}').message).toBe('No such work spec {name}');
});

test('a hole without a detail stays visible', () => {
  expect(new CoordinateError('NoSuchWorkSpec').message).toBe('No such work spec {name}');
  expect(new CoordinateError('RetriesExhausted', { attempts: 0 }).message).toContain('after 0 tries');
});

test('errors travel through structured clones and JSON with what tells them apart', () => {
  const error = new root.NoSuchWorkSpecError('blue');
  expect(JSON.parse(JSON.stringify(error))).toMatchObject({ code: 'NoSuchWorkSpec', details: { name: 'blue' } });
  expect(structuredClone(error)).toMatchObject({ message: 'No such work spec blue' });
});
