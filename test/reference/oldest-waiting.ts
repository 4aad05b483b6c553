import type { OldestWaiting } from '../../src/core/summary/oldest-waiting.js';
import { specsByName, unitsByName, unitStatus, type NamespaceRecord } from './state.js';

/** Since when the unit that has waited longest has been available, for each spec that has one. */
export function oldestWaiting(namespace: NamespaceRecord): OldestWaiting[] {
  const now = namespace.store.clock.now();
  return specsByName(namespace).flatMap((spec) => {
    const since = unitsByName(spec)
      .filter((unit) => unitStatus(unit, now) === 'available')
      .map(({ addedAt, notBefore }) => Math.max(addedAt.getTime(), notBefore?.getTime() ?? 0));
    return since.length === 0 ? [] : [{ namespace: namespace.name, workSpec: spec.name, seconds: (now.getTime() - Math.min(...since)) / 1_000 }];
  });
}
