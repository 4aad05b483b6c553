import { checkHost, TokenFile, type TlsIdentity } from '../access/index.js';
import type { DataDictionary } from '../codec/index.js';
import { encodeData, MAX_DEPTH } from '../codec/index.js';
import { PostgresCoordinate } from '../core/postgres-coordinate.js';
import { silentLogger, type Logger } from '../database/index.js';
import { InvalidArgumentError, NotAuthenticatedError } from '../errors/index.js';
import { checkBoolean, checkInteger, checkName, checkOptions, kindOf } from '../options/index.js';

/** How to serve CBOR-RPC. Everything but `coordinate` has a default. */
export interface CborRpcOptions {
  /** The queue that is served; it stays open when the server stops. */
  readonly coordinate: PostgresCoordinate;
  /** The address to listen at; anything but a loopback address needs `tokens` or `allowRemote`. @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any that is free. @default 5932 */
  readonly port?: number;
  /** Whether anybody in the network may call, without a token. @default false */
  readonly allowRemote?: boolean;
  /** Who may do what: a client has to call `authenticate(token)` on each connection before anything else. @default everybody may do everything */
  readonly tokens?: TokenFile;
  /**
   * The name of one of the tokens: all clients may do what it allows, and need not authenticate, which the clients of old do not know of.
   * Where others could connect, that needs `allowRemote`. @default none
   */
  readonly actAs?: string;
  /** To speak TLS: the certificate and its key. @default speaks plain TCP */
  readonly tls?: TlsIdentity;
  /** Told about clients that send nonsense, and about calls that fail for reasons of the server's. Never given payloads. @default tells nobody */
  readonly logger?: Logger;
  /** The namespace that all calls act on. It is made when it is not there. @default '' */
  readonly namespace?: string;
  /** What `get_config` answers, such as the content of a YAML file. @default an error: no config to get */
  readonly config?: DataDictionary;
  /** Most connections at a time; more are closed at once. @default 1000 */
  readonly maxConnections?: number;
  /** Most connections at a time from one address; more are closed at once; 0: no limit. @default 0 */
  readonly maxConnectionsPerAddress?: number;
  /** How many calls of all clients are worked on at a time; the others wait. @default 16 */
  readonly concurrency?: number;
  /** Longest message of a client, in bytes. @default 16777216 (16 MiB) */
  readonly maxMessageBytes?: number;
  /** Most values in one message, each member of a list or map counting. @default 1000000 */
  readonly maxMessageItems?: number;
  /** Most bytes of all unfinished messages together. @default 268435456 (256 MiB) */
  readonly maxBufferedBytes?: number;
  /** Longest answer, in bytes; what would be longer is answered with an error. @default 67108864 (64 MiB) */
  readonly maxAnswerBytes?: number;
  /** A client that says nothing for so long is let go, in milliseconds. @default 3600000 (an hour) */
  readonly idleMs?: number;
  /** So long may a message take from its first byte to its last, in milliseconds. @default 60000 */
  readonly messageMs?: number;
  /** So long may a client take to accept an answer, in milliseconds. @default 60000 */
  readonly writeMs?: number;
  /** So long stop() waits for calls under way, in milliseconds. @default 10000 */
  readonly graceMs?: number;
}

/** Those without a default. */
type OptionalName = 'config' | 'tokens' | 'actAs' | 'tls';

export type CheckedOptions = Required<Omit<CborRpcOptions, OptionalName | 'allowRemote'>> & Pick<CborRpcOptions, OptionalName>;

/** A message has a map, a list and a tag or two around the values that it carries. */
export const messageDepth = MAX_DEPTH + 8;

/** Timers of Node cannot be longer. */
const longestTimer = 2 ** 31 - 1;

/** The numbers, each with its least, most and default. */
const numbers = {
  port: [0, 65_535, 5_932],
  maxConnections: [1, 1_000_000, 1_000],
  maxConnectionsPerAddress: [0, 1_000_000, 0],
  concurrency: [1, 10_000, 16],
  maxMessageBytes: [64, 2 ** 30, 16 * 2 ** 20],
  maxMessageItems: [16, 2 ** 30, 1_000_000],
  maxBufferedBytes: [1_024, Number.MAX_SAFE_INTEGER, 256 * 2 ** 20],
  maxAnswerBytes: [1_024, 2 ** 30, 64 * 2 ** 20],
  idleMs: [1, longestTimer, 3_600_000],
  messageMs: [1, longestTimer, 60_000],
  writeMs: [1, longestTimer, 60_000],
  graceMs: [0, longestTimer, 10_000],
} as const;

const others = ['coordinate', 'host', 'allowRemote', 'tokens', 'actAs', 'tls', 'logger', 'namespace', 'config'] as const;

/** Raises InvalidArgument. */
export function checkServerOptions(options: CborRpcOptions): CheckedOptions {
  const names = Object.keys(numbers) as (keyof typeof numbers)[];
  const given = checkOptions(options, 'options', [...others, ...names]);
  const { coordinate, host = '127.0.0.1', allowRemote = false, logger = silentLogger, namespace = '', config, tls } = given;
  if (!(coordinate instanceof PostgresCoordinate)) {
    throw new InvalidArgumentError('options.coordinate', `must be what connect('postgres://...') gives, not ${kindOf(coordinate)}`);
  }
  if (typeof logger?.warn !== 'function' || typeof logger.error !== 'function') {
    throw new InvalidArgumentError('options.logger', 'must have the methods warn and error');
  }
  if (config !== undefined) encodeData(config, 'options.config');
  const { tokens, actAs } = checkTokens(given);
  // A port where all act as one asks nobody for a token.
  const hasTokens = tokens !== undefined && actAs === undefined;
  checkHost(host, 'options.host', { hasTokens, allowRemote: checkBoolean(allowRemote, 'options.allowRemote') });
  const checked = names.map((name): [string, number] => {
    const [least, most, standard] = numbers[name];
    return [name, checkInteger(given[name] ?? standard, `options.${name}`, { least, most })];
  });
  return {
    ...(Object.fromEntries(checked) as Record<keyof typeof numbers, number>),
    coordinate,
    host,
    logger,
    namespace: checkName(namespace, 'options.namespace'),
    ...(config !== undefined && { config }),
    ...(tokens !== undefined && { tokens }),
    ...(actAs !== undefined && { actAs }),
    ...(tls !== undefined && { tls }),
  };
}

function checkTokens({ tokens, actAs }: Pick<CborRpcOptions, 'tokens' | 'actAs'>): Pick<CborRpcOptions, 'tokens' | 'actAs'> {
  if (tokens !== undefined && !(tokens instanceof TokenFile)) {
    throw new InvalidArgumentError('options.tokens', `must be what TokenFile.load() gives, not ${kindOf(tokens)}`);
  }
  if (actAs === undefined) return { ...(tokens && { tokens }) };
  if (tokens === undefined) throw new InvalidArgumentError('options.actAs', 'is the name of one of the tokens, but there are no tokens');
  try {
    tokens.accessOf(checkName(actAs, 'options.actAs'));
  } catch (error) {
    if (!(error instanceof NotAuthenticatedError)) throw error;
    throw new InvalidArgumentError('options.actAs', `is of no use: ${error.details.problem}`, { cause: error });
  }
  return { tokens, actAs };
}
