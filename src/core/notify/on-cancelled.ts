import type { Namespace } from '../namespace/namespace.js';
import { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { parsePayload } from './payload.js';

/**
 * Calls `listener` with the number of each attempt of the namespace that is cancelled. Resolves, to what ends this, once
 * notifications arrive or cannot for now. One that is missed shows when the lease is renewed: NotPending. Of an
 * implementation without notifications nothing is told.
 */
export async function onCancelled(
  namespace: Namespace,
  listener: (attemptNumber: number) => void,
): Promise<() => Promise<void>> {
  if (!(namespace instanceof PostgresNamespace)) return () => Promise.resolve();
  const { bucket, id } = namespace;
  const unsubscribe = await bucket.backend.listener.subscribe(bucket.schema, (payload) => {
    if (!payload.startsWith('cancel ')) return;
    const message = parsePayload(payload);
    if (message?.kind === 'cancel' && message.namespaceId === id) listener(message.number);
  });
  return async () => unsubscribe();
}
