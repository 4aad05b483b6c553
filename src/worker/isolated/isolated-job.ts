import type { DataDictionary } from '../../codec/index.js';

/** What a handler in a host is told about its unit. */
export interface IsolatedJob {
  readonly workSpec: string;
  /** The unit's name as text; `key` is its exact bytes. */
  readonly name: string;
  readonly key: Uint8Array;
  /** The attempt's number. */
  readonly number: number;
  readonly data: DataDictionary;
}
