/**
 * Every error this package documents, in one table: the stable code (the key), the HTTP status and error name of the REST
 * interface, and the text of the CBOR-RPC interface. `{name}` is replaced by the detail of that name.
 */
export const errorRegistry = {
  // The Coordinate model's own errors. Their texts are part of the wire protocols: existing clients print or match them.
  NoWorkSpecName: { status: 400, wire: 'ErrNoWorkSpecName', text: "No 'name' key in work spec" },
  BadWorkSpecName: { status: 400, wire: 'ErrBadWorkSpecName', text: "Work spec 'name' must be a string" },
  ChangedName: { status: 409, wire: 'ErrChangedName', text: "Cannot change work spec 'name'" },
  LostLease: { status: 409, wire: 'ErrLostLease', text: 'No longer the active attempt' },
  NotPending: { status: 409, wire: 'ErrNotPending', text: 'Attempt is not pending' },
  CannotBecomeContinuous: {
    status: 409,
    wire: 'ErrCannotBecomeContinuous',
    text: 'Cannot make a non-continuous work spec continuous',
  },
  WrongBackend: { status: 400, wire: 'ErrWrongBackend', text: 'Cannot combine objects of different connections' },
  NoWork: { status: 404, wire: 'ErrNoWork', text: 'No work to do' },
  WorkUnitNotList: { status: 400, wire: 'ErrWorkUnitNotList', text: 'work unit not a list' },
  WorkUnitTooShort: { status: 400, wire: 'ErrWorkUnitTooShort', text: 'too few parameters to work unit' },
  BadPriority: { status: 400, wire: 'ErrBadPriority', text: 'priority must be a number' },
  Gone: { status: 410, wire: 'ErrGone', text: 'Object no longer exists' },
  NoSuchNamespace: { status: 404, wire: 'ErrNoSuchNamespace', text: 'No such namespace {name}' },
  NoSuchWorkSpec: { status: 404, wire: 'ErrNoSuchWorkSpec', text: 'No such work spec {name}' },
  NoSuchWorkUnit: { status: 404, wire: 'ErrNoSuchWorkUnit', text: 'No such work unit "{name}"' },

  // What a caller can do wrong, and what can happen to a database.
  InvalidArgument: { status: 400, wire: 'error', text: '{field}: {problem}' },
  BadCbor: { status: 400, wire: 'error', text: 'Cannot decode CBOR: {problem}' },
  Closed: { status: 503, wire: 'error', text: 'This connection has been closed; connect() again to go on' },
  ConnectionLost: { status: 503, wire: 'error', text: 'The connection to PostgreSQL was lost: {problem}' },
  CannotConnect: { status: 503, wire: 'error', text: 'Cannot connect to PostgreSQL at {target}: {problem}' },
  RetriesExhausted: {
    status: 503,
    wire: 'error',
    text: 'The transaction kept colliding with others and was given up after {attempts} tries; try again later',
  },
  SchemaMissing: {
    status: 503,
    wire: 'error',
    text: 'The schema "{schema}" has no pg-coordinate tables; run `pg-coordinate migrate` or call migrate()',
  },
  SchemaTooOld: {
    status: 503,
    wire: 'error',
    text: 'The schema "{schema}" is older than this pg-coordinate ({missing} is missing); run `pg-coordinate migrate` or call migrate()',
  },
  SchemaTooNew: {
    status: 503,
    wire: 'error',
    text: 'The schema "{schema}" was migrated by a newer pg-coordinate (it has {unknown}); update this package',
  },
  UnsupportedServer: {
    status: 503,
    wire: 'error',
    text: 'PostgreSQL {version} is not supported; use PostgreSQL 14 or newer',
  },

  // What can happen to a unit while a worker runs a handler on it, and to whoever waits for it.
  Cancelled: { status: 409, wire: 'error', text: 'The work unit was cancelled: {reason}' },
  ShuttingDown: { status: 503, wire: 'error', text: 'The worker is shutting down' },
  RunTimeExceeded: { status: 504, wire: 'error', text: 'The handler ran longer than its {limitMs} ms' },
  HandlerCrashed: { status: 500, wire: 'error', text: 'The {place} of the handler ended before it had answered: {problem}' },
  WaitTimeout: { status: 504, wire: 'error', text: 'The work unit {name} has not ended within {timeoutMs} ms' },

  // What can be wrong with a request over HTTP.
  MalformedRequest: { status: 400, wire: 'error', text: 'The request cannot be understood: {problem}' },
  MissingData: { status: 400, wire: 'error', text: 'Missing data' },
  NoSuchWorker: { status: 404, wire: 'error', text: 'No such worker {name}' },
  NoSuchAttempt: { status: 404, wire: 'error', text: 'no such attempt' },
  MethodNotAllowed: { status: 405, wire: 'error', text: 'Method {method} not allowed' },
  NotAcceptable: { status: 406, wire: 'error', text: 'No acceptable representation for response' },
  RequestTooLarge: { status: 413, wire: 'error', text: 'The request is larger than the {limit} bytes that this server takes; send less at once' },
  UnsupportedMediaType: { status: 415, wire: 'error', text: 'Unsupported media type "{type}"' },
  NotAuthenticated: { status: 401, wire: 'error', text: 'This server asks for a token: {problem}' },
  NotAllowed: { status: 403, wire: 'error', text: 'The token "{token}" has not got the role {role} in {where}' },
  ForeignHost: {
    status: 403,
    wire: 'error',
    text: 'This server is not known as {host}; reach it by its address or as localhost, or start it with tokens or with this name as an allowed host',
  },
  ForeignOrigin: {
    status: 403,
    wire: 'error',
    text: 'Pages of {origin} may not have a browser use this server; open it by itself, or start it with tokens',
  },
  TooManyRequests: { status: 429, wire: 'error', text: 'Too many requests: this server takes {limit} in a second from one address; try again later' },
  ServerBusy: { status: 503, wire: 'error', text: 'This server has as many bytes of requests under way as it takes; try again later, or send less at once' },
  TooManyStreams: { status: 503, wire: 'error', text: 'This server serves {limit} streams of events at a time, and there are as many; try again later' },
  BadTokenFile: { status: 503, wire: 'error', text: 'The token file {path} cannot be used: {problem}' },
  CannotListen: { status: 503, wire: 'error', text: 'Cannot listen on {address}: {problem}' },
  ServerFailure: { status: 500, wire: 'error', text: 'The server could not do it: {problem}' },

  // What a client of a server over HTTP can meet.
  ServerUnreachable: { status: 503, wire: 'error', text: 'The server at {url} cannot be reached: {problem}; see that it runs there, and try again' },
  UnexpectedAnswer: { status: 502, wire: 'error', text: '{url} does not answer as a Coordinate server: {problem}; see that the URL is right' },
  NotOffered: { status: 501, wire: 'error', text: 'This server does not offer {feature}; `pg-coordinate serve` does' },

  EmbeddedPostgres: {
    status: 503,
    wire: 'error',
    text: 'The embedded PostgreSQL could not be started: {problem}; give a DATABASE_URL to use a server of your own',
  },
} as const;

/** The stable code of an error: `error.code`. */
export type ErrorCode = keyof typeof errorRegistry;
