import type { DataDictionary } from '../../codec/index.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';

/** What a method works on besides its parameters. */
export interface CallContext {
  readonly namespace: PostgresNamespace;
  /** What get_config() answers. */
  readonly config: DataDictionary | undefined;
  /** Most bytes of an answer. */
  readonly maxBytes: number;
  /** What a method adds here is done when the client cannot be told the result. */
  readonly takeBacks: TakeBack[];
}

/** Undoes what was done for a client that will never hear of it. */
export type TakeBack = () => Promise<unknown>;

/**
 * A method as clients call it. It reads its parameters itself, as they are decoded, and resolves to the result. It may be run again when the
 * namespace was destroyed and made anew meanwhile, and by clients that have not received the answer.
 */
export interface Method {
  /** One for each parameter: the names it may have where a client sends a map of them. */
  readonly parameters: readonly (readonly string[])[];
  readonly run: (context: CallContext, ...params: readonly unknown[]) => Promise<unknown>;
  /** The first part of the result `[this, message]` when there is no work spec of the name given. Without it, that is an error. */
  readonly withoutSpec?: false | 0 | null;
}

/** The names of the parameters that many methods have. */
export const parameter = {
  spec: ['work_spec_name', 'spec', 'name'],
  unit: ['work_unit_key', 'key'],
  options: ['options'],
  worker: ['worker_id'],
  locker: ['locker_id', 'locker'],
  timeout: ['timeout'],
  keys: ['keys'],
} as const;
