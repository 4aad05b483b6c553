import { decodeValue, HeadReader, INDEFINITE, Major } from '../../codec/index.js';
import { BadCborError } from '../../errors/index.js';
import { ItemScanner, type ItemLimits } from './item-scanner.js';

/** One call of a client. */
export interface Request {
  /** Unsigned; a bigint where it is not safe as a number. */
  readonly id: number | bigint;
  /** As it came: nothing, or something that is no string, is an error to be answered. */
  readonly method: unknown;
  /** The bytes of the parameters, not decoded: what is wrong in them is an error to be answered. */
  readonly params: Uint8Array | undefined;
}

/** What a message asks for: one call, or several that are answered together. */
export interface RequestMessage {
  readonly requests: readonly Request[];
  readonly isBatch: boolean;
}

/** Most calls in one message. */
const mostCalls = 1_000;

/**
 * Reads the content of a message: a map, or a list of maps.
 * @throws BadCborError when it is neither, or has no id by which an error could be answered.
 */
export function readRequests(content: Uint8Array, limits: ItemLimits): RequestMessage {
  if (new ItemScanner(limits).scan(content, 0) !== content.length) throw new BadCborError('a message does not hold exactly one item');
  const isBatch = (content[0] ?? 0) >> 5 === Major.list;
  const calls = isBatch ? partsOf(content, limits) : [content];
  if (calls.length > mostCalls) throw new BadCborError(`a message holds more than ${mostCalls} calls`);
  return { isBatch, requests: calls.map((call) => readRequest(call, limits)) };
}

function readRequest(call: Uint8Array, limits: ItemLimits): Request {
  if ((call[0] ?? 0) >> 5 !== Major.map) throw new BadCborError('a request is not a map');
  const members = new Map<string, Uint8Array>();
  const parts = partsOf(call, limits);
  for (let index = 0; index + 1 < parts.length; index += 2) {
    const key = decodePart(parts[index]);
    const name = key instanceof Uint8Array ? Buffer.from(key).toString('latin1') : key;
    if (typeof name === 'string') members.set(name, parts[index + 1] ?? call);
  }
  return {
    id: checkId(decodePart(members.get('id'))),
    method: decodePart(members.get('method')),
    params: members.get('params'),
  };
}

/** What is wrong within is not told: it goes to the log, where nothing that a client sends belongs. */
function decodePart(bytes: Uint8Array | undefined): unknown {
  if (bytes === undefined) return undefined;
  try {
    return decodeValue(bytes);
  } catch (error) {
    throw new BadCborError('a request has a part that is no CBOR', { cause: error });
  }
}

function checkId(id: unknown): number | bigint {
  const isUnsigned = typeof id === 'bigint' ? id >= 0n : typeof id === 'number' && Number.isInteger(id) && id >= 0;
  if (!isUnsigned) throw new BadCborError('a request has no id that is an unsigned integer');
  return id as number | bigint;
}

/** The items directly within a list or map, keys and values in turn. The bytes have been scanned. */
function partsOf(container: Uint8Array, limits: ItemLimits): Uint8Array[] {
  const head = new HeadReader(new DataView(container.buffer, container.byteOffset, container.byteLength));
  head.next();
  const isIndefinite = head.info === INDEFINITE;
  const scanner = new ItemScanner(limits);
  const parts: Uint8Array[] = [];
  for (let at = head.at; at < container.length; ) {
    if (isIndefinite && at === container.length - 1) break;
    const end = scanner.scan(container, at);
    parts.push(container.subarray(at, end));
    at = end;
  }
  return parts;
}
