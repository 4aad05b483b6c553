import { decodeData, decodeValue, encodeData, encodeValue, Tagged, type DataDictionary } from '../codec/index.js';
import type { AttemptStatus } from '../core/attempt/attempt-status.js';
import { attemptStatuses } from '../core/attempt/attempt-status.js';
import type { WorkSpecMeta } from '../core/work-spec/work-spec-meta.js';
import { BadCborError, InvalidArgumentError } from '../errors/index.js';
import { checkDateOrNull, checkInteger, checkList, checkName, checkNumber, checkOptions } from '../options/index.js';

/** What an archive holds, one after the other: see the README for the format. */
export type ArchiveRecord =
  | { readonly kind: 'start'; readonly version: number }
  | { readonly kind: 'work-spec'; readonly data: DataDictionary; readonly meta: ArchivedMeta }
  | ({ readonly kind: 'unit' } & ArchivedUnit)
  | { readonly kind: 'end'; readonly workSpecs: number; readonly units: number };

/** What can be set of a work spec's meta. */
export type ArchivedMeta = Omit<WorkSpecMeta, 'canBeContinuous' | 'nextWorkSpecName' | 'runtime' | 'availableCount' | 'pendingCount'>;

export interface ArchivedUnit {
  readonly key: Uint8Array;
  readonly data: DataDictionary;
  readonly priority: number;
  readonly notBefore: Date | null;
  readonly ended: 'finished' | 'failed' | null;
  readonly attempts: readonly ArchivedAttempt[];
}

export interface ArchivedAttempt {
  readonly worker: string;
  readonly status: Exclude<AttemptStatus, 'pending'>;
  readonly data: DataDictionary;
}

/** The version of the format that this package writes, and the newest that it reads. */
export const archiveVersion = 1;

const magic = 'pg-coordinate';
const embeddedTag = 24;

const metaKeys = [
  'priority', 'weight', 'paused', 'continuous', 'intervalMs', 'nextContinuous', 'maxRunning', 'maxAttemptsReturned', 'maxRetries', 'minMemoryGb',
] as const satisfies readonly (keyof ArchivedMeta)[];

/** The part of a work spec's meta that an archive holds. */
export function archivedMeta(meta: WorkSpecMeta): ArchivedMeta {
  return Object.fromEntries(metaKeys.map((key) => [key, meta[key]])) as unknown as ArchivedMeta;
}

export function encodeRecord(record: ArchiveRecord): Buffer {
  switch (record.kind) {
    case 'start':
      return encodeValue([magic, record.version]);
    case 'work-spec':
      return encodeValue(['work-spec', embedded(record.data), archivedMeta(record.meta as WorkSpecMeta)]);
    case 'unit': {
      const { key, data, priority, notBefore, ended, attempts } = record;
      const history = attempts.map(({ worker, status, data: own }) => [worker, status, embedded(own)]);
      return encodeValue(['unit', key, embedded(data), priority, notBefore, ended, history]);
    }
    case 'end':
      return encodeValue(['end', record.workSpecs, record.units]);
  }
}

/** Raises InvalidArgument for bytes that are no record. */
export function decodeRecord(bytes: Uint8Array): ArchiveRecord {
  try {
    const value = decodeValue(bytes);
    if (!Array.isArray(value)) throw new InvalidArgumentError('record', 'must be an array');
    return recordOf(value as unknown[]);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError || error instanceof BadCborError)) throw error;
    const why = error instanceof InvalidArgumentError ? `${error.details.field} ${error.details.problem}` : error.details.problem;
    throw new InvalidArgumentError('archive', `is damaged, or is no export of pg-coordinate: ${why}`, { cause: error });
  }
}

function recordOf([kind, ...members]: readonly unknown[]): ArchiveRecord {
  switch (kind) {
    case magic:
      return { kind: 'start', version: checkInteger(members[0], 'version', { least: 1 }) };
    case 'work-spec':
      return { kind, data: dataOf(members[0], 'definition'), meta: metaOf(members[1]) };
    case 'unit':
      return { kind, ...unitOf(members) };
    case 'end': {
      const [workSpecs, units] = members.map((count) => checkInteger(count, 'count', { least: 0 }));
      return { kind, workSpecs: workSpecs ?? 0, units: units ?? 0 };
    }
    default:
      throw new InvalidArgumentError('record', 'is of an unknown kind');
  }
}

function unitOf([key, data, priority, notBefore, ended, attempts]: readonly unknown[]): ArchivedUnit {
  if (!(key instanceof Uint8Array)) throw new InvalidArgumentError('name', 'must be bytes');
  if (ended !== null && ended !== 'finished' && ended !== 'failed') throw new InvalidArgumentError('status', 'must be finished, failed or null');
  return {
    key,
    data: dataOf(data, 'data'),
    priority: checkNumber(priority, 'priority'),
    notBefore: checkDateOrNull(notBefore, 'notBefore'),
    ended,
    attempts: checkList(attempts, 'attempts', attemptOf),
  };
}

function attemptOf(value: unknown, field: string): ArchivedAttempt {
  const [worker, status, data] = checkList(value, field, (item) => item);
  const known = attemptStatuses.find((one) => one === status && one !== 'pending');
  if (known === undefined || known === 'pending') throw new InvalidArgumentError(`${field}[1]`, 'must be the status of an attempt that has ended');
  return { worker: checkName(worker, `${field}[0]`), status: known, data: dataOf(data, `${field}[2]`) };
}

/** Its values are checked where they are set. */
function metaOf(value: unknown): ArchivedMeta {
  const meta = checkOptions(value as ArchivedMeta, 'meta', metaKeys);
  return { ...meta, nextContinuous: checkDateOrNull(meta.nextContinuous, 'meta.nextContinuous') };
}

function embedded(data: DataDictionary): Tagged {
  return new Tagged(embeddedTag, encodeData(data, 'data'));
}

function dataOf(value: unknown, field: string): DataDictionary {
  if (value instanceof Tagged && value.tag === embeddedTag && value.value instanceof Uint8Array) return decodeData(value.value);
  throw new InvalidArgumentError(field, 'must be embedded CBOR');
}
