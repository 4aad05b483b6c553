import { checkList, checkName, checkOptions } from '../../options/index.js';
import type { NamespaceQuery } from '../coordinate.js';

/** The bytes of the names, each once; undefined where all namespaces are meant. Raises InvalidArgument. */
export function namespaceKeysOf(query: NamespaceQuery | undefined): Buffer[] | undefined {
  const { names } = checkOptions(query, 'query', ['names']);
  if (names === undefined) return undefined;
  return [...new Set(checkList(names, 'query.names', checkName))].map((name) => Buffer.from(name));
}
