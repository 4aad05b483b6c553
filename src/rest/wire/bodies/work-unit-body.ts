import type { DataDictionary } from '../../../codec/index.js';
import type { WorkUnitMeta } from '../../../core/work-unit/work-unit.js';
import type { WorkUnitStatus } from '../../../core/work-unit/work-unit-status.js';
import { MalformedRequestError, type CoordinateError } from '../../../errors/index.js';
import { optionalDataFromWire } from '../data.js';
import { asBody, listMember, member, numberMember, objectMember, textMember, timeMember, type Body } from '../members.js';
import { decodeName, encodeName } from '../path-name.js';
import { timeToWire } from '../time.js';
import { ValueBudget } from '../value-budget.js';
import type { ShortBody } from './short-body.js';

export interface WorkUnitShortBody extends ShortBody {
  /** The exact name, written as in paths: an addition, only where `name` cannot say it as it is not UTF-8. */
  readonly key?: string;
}

export interface WorkUnitListBody {
  readonly work_units: readonly WorkUnitShortBody[];
}

export interface WorkUnitMetaBody {
  readonly priority: number;
  /** The zero time when there is none. */
  readonly not_before: string;
}

export interface WorkUnitBody extends WorkUnitShortBody {
  /** See `dataToWire`; left out when empty. */
  readonly data?: unknown;
  /** The unit's own data while `data` are the active attempt's: an addition. */
  readonly own_data?: unknown;
  readonly meta: WorkUnitMetaBody;
  readonly status: WorkUnitStatus;
  readonly work_spec_url: string;
  /** Left out when there is none. */
  readonly active_attempt_url?: string;
  readonly attempts_url: string;
  /** `{?full}`: a list of whole attempts: an addition. */
  readonly attempts_query_url: string;
  /** GET answers the bare number: the URL is the protocol's, the link to it an addition. */
  readonly num_attempts_url: string;
  /** GET says why the unit is, or is not, running: an addition. */
  readonly explain_url: string;
  /** POST `{reason}` stops the running attempt, and answers `{cancelled}`: an addition. */
  readonly cancel_url: string;
}

/** What a PUT takes as `active_attempt_url`: the unit is to have none. */
export const noAttemptUrl = '-';

/** A unit to add. The name may be bytes in CBOR. */
export interface NewUnitBody {
  readonly name: string | Uint8Array;
  readonly data?: unknown;
  readonly meta?: WorkUnitMetaBody;
}

/** What `work_unit_batch_url` takes: all are added, or none. */
export interface UnitBatchBody {
  readonly work_units: readonly NewUnitBody[];
}

/** What it answers: how many different names there were. */
export interface AddedBody {
  readonly added: number;
}

/** A unit to add, as it was read. */
export interface NewUnit {
  readonly name: string | Uint8Array;
  readonly data: DataDictionary;
  readonly meta: WorkUnitMeta;
}

/** A unit's name, and its exact bytes where the name cannot say them. */
export function unitNameToBody(key: Uint8Array): Pick<WorkUnitShortBody, 'name' | 'key'> {
  const name = Buffer.from(key.buffer, key.byteOffset, key.length).toString('utf8');
  return { name, ...(!Buffer.from(name).equals(key) && { key: encodeName(key) }) };
}

/** The exact bytes of the name in a body. Raises MalformedRequest. */
export function unitKeyFromBody(body: Body, members = { name: 'name', key: 'key' }): Buffer {
  const key = textMember(body, members.key);
  return key === '' ? Buffer.from(textMember(body, members.name), 'utf8') : decodeName(key);
}

export function unitMetaToBody({ priority, notBefore }: WorkUnitMeta): WorkUnitMetaBody {
  return { priority, not_before: timeToWire(notBefore) };
}

/** Undefined when the body has no meta. Raises MalformedRequest. */
export function unitMetaFromBody(body: Body): WorkUnitMeta | undefined {
  const meta = objectMember(body, 'meta');
  return meta && { priority: numberMember(meta, 'priority'), notBefore: timeMember(meta, 'not_before') };
}

/** Raises MalformedRequest; BadCbor. */
export function newUnitFromBody(body: Body, budget = new ValueBudget()): NewUnit {
  const name = member(body, 'name');
  return {
    name: name instanceof Uint8Array ? name : textMember(body, 'name'),
    data: optionalDataFromWire(member(body, 'data'), 'data', budget) ?? {},
    meta: unitMetaFromBody(body) ?? { priority: 0, notBefore: null },
  };
}

/** Raises MalformedRequest, which says which of them it means; BadCbor. */
export function unitBatchFromBody(body: Body): readonly NewUnit[] {
  const budget = new ValueBudget();
  return listMember(body, 'work_units').map((item, index) => {
    try {
      return newUnitFromBody(asBody(item, 'it'), budget);
    } catch (error) {
      const { details, message } = error as CoordinateError;
      throw new MalformedRequestError(`in work_units[${index}], ${details.problem ?? message}`, { cause: error });
    }
  });
}
