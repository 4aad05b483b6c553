import type { WorkUnitQuery } from '../../core/work-spec/work-unit-query.js';
import type { WorkUnitName } from '../../core/work-unit/work-unit-name.js';
import { workUnitStatuses, type WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import { MalformedRequestError } from '../../errors/index.js';
import { maxNameBytes } from '../../options/index.js';
import { decodeName, encodeName } from './path-name.js';

/** The end of the URLs that take a query. `key`, an addition, is a name as in paths: for those that are not UTF-8. */
export const unitQueryTemplate = '{?name*,status*,previous,limit,key*}';

/** The variables of `unitQueryTemplate`. */
export interface UnitQueryVariables {
  readonly name?: readonly string[];
  readonly status?: readonly string[];
  readonly previous?: string;
  readonly limit?: string;
  readonly key?: readonly string[];
}

/**
 * The variables that say a query. One whose list of names or of statuses is empty matches nothing, which the variables cannot say:
 * it must not be sent.
 */
export function unitQueryToVariables({ names, statuses, previousName, limit }: WorkUnitQuery): UnitQueryVariables {
  const plain = names?.filter((name) => typeof name === 'string');
  const keys = names?.filter((name) => typeof name !== 'string');
  return {
    ...(plain !== undefined && plain.length > 0 && { name: plain }),
    ...(keys !== undefined && keys.length > 0 && { key: keys.map(encodeName) }),
    ...(statuses !== undefined && { status: statuses }),
    ...(previousName !== undefined && { previous: encodeName(previousName) }),
    ...(limit !== undefined && { limit: String(limit) }),
  };
}

/** Raises MalformedRequest. */
export function unitQueryFromParameters(parameters: URLSearchParams): WorkUnitQuery {
  const named = parameters.has('name') || parameters.has('key');
  const names = [...parameters.getAll('name'), ...parameters.getAll('key').map(decodeName)].filter(isUnitName);
  const statuses = statusesOf(parameters.getAll('status'));
  const previous = decodeName(parameters.get('previous') ?? '');
  const limit = limitOf(parameters.get('limit') ?? '');
  return {
    ...(named && { names }),
    ...(statuses !== undefined && { statuses }),
    ...(previous.length > 0 && { previousName: previous }),
    ...(limit !== undefined && { limit }),
  };
}

/** No unit can have another name, so that it is unknown like any other. */
function isUnitName(name: WorkUnitName): boolean {
  const length = typeof name === 'string' ? Buffer.byteLength(name) : name.length;
  return length >= 1 && length <= maxNameBytes;
}

/** Undefined where they are no condition, as `any` is none. */
function statusesOf(texts: readonly string[]): WorkUnitStatus[] | undefined {
  const statuses = texts.map((text) => [...workUnitStatuses, 'any' as const].find((known) => known === text) ?? unknownStatus(text));
  return statuses.length === 0 || statuses.includes('any') ? undefined : (statuses as WorkUnitStatus[]);
}

function unknownStatus(text: string): never {
  throw new MalformedRequestError(`the status ${JSON.stringify(text.slice(0, 60))} is none of any, ${workUnitStatuses.join(', ')}`);
}

/** None and less than one mean all. */
function limitOf(text: string): number | undefined {
  if (text === '') return undefined;
  if (!/^[+-]?\d{1,18}$/.test(text)) throw new MalformedRequestError(`the limit ${JSON.stringify(text.slice(0, 60))} is no whole number`);
  const limit = Math.min(Number(text), Number.MAX_SAFE_INTEGER);
  return limit > 0 ? limit : undefined;
}
