import type { DataDictionary } from '../../codec/index.js';
import type { Attempt } from '../attempt/attempt.js';
import type { WorkUnitStatus } from './work-unit-status.js';
import type { WorkUnit, WorkUnitMeta } from './work-unit.js';

/** What `readWorkUnits` tells of units besides status and meta, if it is asked to. */
export const workUnitParts = ['data', 'ownData', 'attempts'] as const;
export type WorkUnitPart = (typeof workUnitParts)[number];

interface Parts<Data extends DataDictionary> {
  /** As `unit.data()`. */
  readonly data: Data;
  /** As `unit.ownData()`. */
  readonly ownData: Data;
  /** As `unit.attempts()`. */
  readonly attempts: readonly Attempt<Data>[];
}

/** A unit and what it was at one moment: all of it at the same. */
export type WorkUnitReading<Data extends DataDictionary = DataDictionary, Part extends WorkUnitPart = never> = Pick<Parts<Data>, Part> & {
  readonly workUnit: WorkUnit<Data>;
  readonly status: WorkUnitStatus;
  readonly meta: WorkUnitMeta;
};

/** Some of the units that match a query, in order of name. */
export interface WorkUnitPage<Data extends DataDictionary = DataDictionary, Part extends WorkUnitPart = never> {
  /** May be none although there are more. */
  readonly units: readonly WorkUnitReading<Data, Part>[];
  /** What to give as `previousName` for the next page; null: there are no more. */
  readonly next: Uint8Array | null;
}

/** Most units of a page. */
export const mostPageUnits = 500;

/** Most bytes of data in a page, unless a single unit has more. */
export const mostPageBytes = 4 * 1024 * 1024;
