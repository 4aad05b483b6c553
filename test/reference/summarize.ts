import type { SummaryRow } from '../../src/core/summary/summary.js';
import { workUnitStatuses } from '../../src/core/work-unit/work-unit-status.js';
import { expireOverdue } from './expiry.js';
import { compareText } from './order.js';
import { countUnits, specsByName, type NamespaceRecord, type SpecRecord } from './state.js';

export function summarizeNamespace(namespace: NamespaceRecord): SummaryRow[] {
  expireOverdue(namespace);
  return specsByName(namespace).flatMap(summarizeSpec);
}

/** Ordered by status; rows of count zero are left out. Expects expiry to have run. */
export function summarizeSpec(spec: SpecRecord): SummaryRow[] {
  const now = spec.namespace.store.clock.now();
  return [...workUnitStatuses]
    .sort(compareText)
    .map((status) => ({
      namespace: spec.namespace.name,
      workSpec: spec.name,
      status,
      count: countUnits(spec, status, now),
    }))
    .filter(({ count }) => count > 0);
}
