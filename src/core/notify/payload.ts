/** What can become of an attempt, as it is announced. */
export type AttemptChange = 'started' | 'finished' | 'failed' | 'retried' | 'expired' | 'cancelled';

/** An attempt, by the ids that a payload has room for. */
export interface AttemptReference {
  readonly unitId: number;
  readonly number: number;
}

/** What is sent on the channel of a bucket. */
export type Message =
  | { readonly kind: 'work'; readonly namespaceId: number }
  | { readonly kind: 'cancel'; readonly namespaceId: number; readonly number: number }
  | { readonly kind: 'added'; readonly namespaceId: number; readonly specId: number; readonly count: number }
  | { readonly kind: AttemptChange; readonly namespaceId: number; readonly attempts: readonly AttemptReference[] };

/** A payload must be shorter than 8000 bytes, and two 64-bit numbers with what separates them take up to 41. */
const mostAttempts = 150;

const changes: ReadonlySet<string> = new Set<AttemptChange>(['started', 'finished', 'failed', 'retried', 'expired', 'cancelled']);

export function workPayload(namespaceId: number): string {
  return `work ${namespaceId}`;
}

export function cancelPayload(namespaceId: number, number: number): string {
  return `cancel ${namespaceId} ${number}`;
}

export function addedPayload(namespaceId: number, specId: number, count: number): string {
  return `added ${namespaceId} ${specId}:${count}`;
}

/** One for each spec: of equal payloads in one transaction PostgreSQL delivers only one, and counts would be lost. */
export function sumAdded(payloads: readonly string[]): string[] {
  const counts = new Map<number, { namespaceId: number; count: number }>();
  const others: string[] = [];
  for (const payload of payloads) {
    const message = parsePayload(payload);
    if (message?.kind === 'added') {
      const { namespaceId, specId } = message;
      counts.set(specId, { namespaceId, count: message.count + (counts.get(specId)?.count ?? 0) });
    } else {
      others.push(payload);
    }
  }
  return [...[...counts].map(([specId, { namespaceId, count }]) => addedPayload(namespaceId, specId, count)), ...others];
}

/** As many payloads as it takes; none for no attempts. The functions in the database write the same. */
export function attemptPayloads(kind: AttemptChange, namespaceId: number, attempts: readonly AttemptReference[]): string[] {
  const payloads: string[] = [];
  for (let at = 0; at < attempts.length; at += mostAttempts) {
    const part = attempts.slice(at, at + mostAttempts).map(({ unitId, number }) => `${unitId}:${number}`);
    payloads.push(`${kind} ${namespaceId} ${part.join(',')}`);
  }
  return payloads;
}

/** Null: a later version's, or somebody else's. */
export function parsePayload(payload: string): Message | null {
  const [kind = '', namespace, rest = ''] = payload.split(' ');
  const namespaceId = Number(namespace);
  if (!Number.isSafeInteger(namespaceId)) return null;
  if (kind === 'work') return { kind, namespaceId };
  if (kind === 'cancel') return { kind, namespaceId, number: Number(rest) };
  const pairs = rest.split(',').map((pair) => pair.split(':').map(Number) as [number, number]);
  const [first] = pairs;
  if (kind === 'added' && first !== undefined) return { kind, namespaceId, specId: first[0], count: first[1] };
  if (!changes.has(kind)) return null;
  return { kind: kind as AttemptChange, namespaceId, attempts: pairs.map(([unitId, number]) => ({ unitId, number })) };
}
