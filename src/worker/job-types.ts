import type { DataDictionary } from '../codec/index.js';

declare const types: unique symbol;

/** The types of one work spec: of its units' data, and of what its handler returns. */
export interface Job<Data extends DataDictionary, Result extends DataDictionary | void = DataDictionary | void> {
  readonly [types]?: { readonly data: Data; readonly result: Result };
}

/** The type of the units' data. */
export type DataOf<Entry> = typeof types extends keyof Entry
  ? NonNullable<Entry[typeof types]> extends { readonly data: infer Data extends DataDictionary }
    ? Data
    : never
  : Entry & DataDictionary;

/** The type of what the handler returns. */
export type ResultOf<Entry> = typeof types extends keyof Entry
  ? NonNullable<Entry[typeof types]> extends { readonly result: infer Result }
    ? Result
    : never
  : DataDictionary | void;
