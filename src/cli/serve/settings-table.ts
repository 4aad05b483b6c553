/** Makes a value of what a flag, a variable or the file says; undefined for what it cannot be. */
type Read<Value> = (given: unknown) => Value | undefined;

/** A kind of value: how it is read, and what it must be, for people. */
interface Kind<Value> {
  readonly must: string;
  readonly read: Read<Value>;
}

/** One thing that can be set. */
export interface Setting<Value = unknown> extends Kind<Value> {
  readonly default: string | number | boolean | readonly string[] | undefined;
  readonly says: string;
  /** What stands for the value in `--help`; a setting without is a flag. */
  readonly placeholder?: string;
  /** Whether it is a key of the file itself, for all commands, not one under `serve`. */
  readonly isCommon?: boolean;
  /** Other variables that are looked at after its own. */
  readonly variables?: readonly string[];
}

const text: Kind<string> = { must: 'text', read: (given) => (typeof given === 'string' ? given : undefined) };

const flag: Kind<boolean> = {
  must: 'true or false',
  read: (given) => (typeof given === 'boolean' ? given : { true: true, 1: true, yes: true, false: false, 0: false, no: false }[String(given).toLowerCase()]),
};

const names: Kind<readonly string[]> = {
  must: 'a list of names',
  read: (given) => {
    const list: unknown = typeof given === 'string' ? given.split(',').map((name) => name.trim()) : given;
    return Array.isArray(list) && list.every((name) => typeof name === 'string' && name !== '') ? (list as string[]) : undefined;
  },
};

const whole = (least: number, most: number): Kind<number> => ({
  must: `a whole number from ${least} to ${most}`,
  read: (given) => {
    const number = typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given;
    return Number.isInteger(number) && (number as number) >= least && (number as number) <= most ? (number as number) : undefined;
  },
});

const port = whole(0, 65_535);
const portOrOff: Kind<number | 'off'> = {
  must: `${port.must}, or off`,
  // The `off` of YAML 1.1 is a false.
  read: (given) => (given === 'off' || given === false ? 'off' : port.read(given)),
};

const seconds = whole(1, 1_000_000);

const oneOf = <Choice extends string>(...choices: readonly Choice[]): Kind<Choice> => ({
  must: choices.join(' or '),
  read: (given) => choices.find((choice) => choice === given),
});

/** Everything that can be set of `serve`: flags, variables, the keys of the file and the table in the README are made of this. */
export const settingsTable = {
  database: {
    ...text,
    placeholder: '<url>',
    default: undefined,
    isCommon: true,
    variables: ['DATABASE_URL'],
    says: 'such as postgres://localhost/app; without it, and without PGHOST and its like, a PostgreSQL of its own is started',
  },
  schema: { ...text, placeholder: '<name>', default: 'coordinate', isCommon: true, says: "the schema of the queue's catalog" },
  buckets: { ...whole(1, 999_999), placeholder: '<number>', default: 1, isCommon: true, says: 'over how many buckets namespaces are spread' },
  'data-directory': { ...text, placeholder: '<path>', default: undefined, says: 'where a PostgreSQL of its own keeps its data; without it, nowhere: they go when it stops' },
  'rest-host': { ...text, placeholder: '<address>', default: '127.0.0.1', says: 'the address to serve HTTP on' },
  'rest-port': { ...port, placeholder: '<number>', default: 5980, says: 'the port to serve HTTP on; 0: a free one' },
  'cbor-rpc-host': { ...text, placeholder: '<address>', default: '127.0.0.1', says: 'the address to serve CBOR-RPC on' },
  'cbor-rpc-port': { ...portOrOff, placeholder: '<number>', default: 5932, says: 'the port to serve CBOR-RPC on; 0: a free one; off: none' },
  'cbor-rpc-namespace': { ...text, placeholder: '<name>', default: '', says: 'the namespace that clients of CBOR-RPC use' },
  'cbor-rpc-token': {
    ...text,
    placeholder: '<name>',
    default: undefined,
    says: 'the name of the token whose roles all clients of CBOR-RPC have; without it, and with tokens, each has to call authenticate first',
  },
  'cbor-rpc-plain': { ...flag, default: false, says: 'CBOR-RPC without TLS although there is a certificate, for clients that know none' },
  tokens: { ...text, placeholder: '<file>', default: undefined, says: 'the file of the tokens, as `token new` prints its lines; read again on SIGHUP' },
  'allow-remote': { ...flag, default: false, says: 'let anybody who reaches this machine use the queue without a token' },
  'allowed-hosts': { ...names, placeholder: '<names>', default: [], says: 'without tokens: names, besides localhost, by which clients may know this server' },
  'tls-cert': { ...text, placeholder: '<file>', default: undefined, says: 'the certificate, and those between it and a root, in PEM, for both ports; read again on SIGHUP' },
  'tls-key': { ...text, placeholder: '<file>', default: undefined, says: 'its key, in PEM' },
  'body-limit': { ...whole(1, 256 * 2 ** 20), placeholder: '<bytes>', default: 64 * 2 ** 20, says: 'the largest body of a request over HTTP' },
  'max-buffered': { ...whole(1, 2 ** 40), placeholder: '<bytes>', default: 256 * 2 ** 20, says: 'most bytes of requests under way together, of each port; no less than the largest body' },
  'max-connections': { ...whole(1, 1_000_000), placeholder: '<number>', default: 10_000, says: 'most connections to a port at a time' },
  'max-connections-per-address': { ...whole(0, 1_000_000), placeholder: '<number>', default: 0, says: 'most connections to a port at a time from one address; more are closed at once; 0: no limit' },
  'requests-per-second': { ...whole(0, 1_000_000), placeholder: '<number>', default: 5_000, says: 'most requests over HTTP in a second from one address; 0: no limit' },
  'header-seconds': { ...seconds, placeholder: '<seconds>', default: 20, says: 'longest time that the headers of a request may take to arrive' },
  'request-seconds': { ...seconds, placeholder: '<seconds>', default: 120, says: 'longest time that a request may take to arrive as a whole' },
  'wait-seconds': { ...seconds, placeholder: '<seconds>', default: 55, says: 'longest time that a request may wait for work' },
  'max-event-streams': { ...whole(0, 1_000_000), placeholder: '<number>', default: 1_000, says: 'most streams of events over HTTP at a time' },
  'heartbeat-seconds': { ...seconds, placeholder: '<seconds>', default: 15, says: 'how often a stream of events on which nothing happens says that it is still there' },
  'grace-seconds': { ...whole(0, 86_400), placeholder: '<seconds>', default: 10, says: 'how long requests under way may take when it is told to stop' },
  'log-requests': {
    ...oneOf('combined', 'json'),
    placeholder: '<format>',
    default: undefined,
    says: 'write a line for each HTTP request to standard output: `combined` or `json`',
  },
  'log-format': {
    ...oneOf('text', 'json'),
    placeholder: '<format>',
    default: 'text',
    says: 'how messages are written to standard error: `text` or `json`',
  },
  tracing: {
    ...oneOf('spans', 'propagate'),
    placeholder: '<kind>',
    default: undefined,
    says: 'make spans by the OpenTelemetry that is installed and registered beside it: `spans`; `propagate` also stores the trace of who added a unit with it',
  },
} as const satisfies Readonly<Record<string, Setting>>;

/** A key of the table. */
export type SettingName = keyof typeof settingsTable;

type ValueOf<Entry> = Entry extends Setting<infer Value> ? Value | (Entry['default'] extends undefined ? undefined : never) : never;

/** What is set. */
export type ServeSettings = { readonly [Name in SettingName]: ValueOf<(typeof settingsTable)[Name]> };

/** The environment's name of a setting. */
export function variableOf(name: string): string {
  return `PG_COORDINATE_${name.toUpperCase().replaceAll('-', '_')}`;
}

/** The file's name of a setting, with a dot before a key within a key. */
export function fileKeyOf(name: SettingName): string {
  const { isCommon }: Setting = settingsTable[name];
  return isCommon === true ? name : `serve.${name}`;
}
