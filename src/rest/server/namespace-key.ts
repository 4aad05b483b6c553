import type { Namespace } from '../../core/namespace/namespace.js';
import { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';

/** What tells namespaces apart: one that was destroyed and made anew is another one, and what it is told of is not told to the former. */
export function keyOf(namespace: Namespace): string {
  return namespace instanceof PostgresNamespace ? `${namespace.id} ${namespace.name}` : namespace.name;
}
