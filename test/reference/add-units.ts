import type { DataDictionary } from '../../src/codec/index.js';
import { copyData } from './copy-data.js';
import { idOf } from './order.js';
import type { SpecRecord, UnitRecord } from './state.js';

/** A unit to add, its arguments checked and its defaults filled in. */
export interface UnitToAdd {
  readonly key: Uint8Array;
  readonly data: DataDictionary;
  readonly priority: number;
  readonly notBefore: Date | null;
}

/**
 * Adds or replaces a unit: data and meta are replaced. One that is finished or failed loses its active attempt and can run
 * again; one that is pending goes on undisturbed, its attempt with the data it has.
 */
export function addUnit(spec: SpecRecord, { key, data, priority, notBefore }: UnitToAdd): UnitRecord {
  const id = idOf(key);
  const unit = spec.units.get(id) ?? newUnit(spec, id, key);
  unit.data = copyData(data);
  unit.priority = priority;
  unit.notBefore = notBefore;
  if (unit.active?.status !== 'pending') unit.active = null;
  return unit;
}

function newUnit(spec: SpecRecord, id: string, key: Uint8Array): UnitRecord {
  const addedAt = spec.namespace.store.clock.now();
  const unit = { spec, id, key, addedAt, data: {}, priority: 0, notBefore: null, active: null, attempts: [] };
  spec.units.set(id, unit);
  return unit;
}
