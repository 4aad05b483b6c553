import fc from 'fast-check';
import type { NewWorkUnit } from '../../../src/core/work-spec/work-spec.js';
import type { WorkSpecMeta } from '../../../src/core/work-spec/work-spec-meta.js';
import { call } from '../command.js';
import type { Refs } from '../refs.js';
import { badPriority, badUnitNames, data, priority, query, START, unitMeta, unitNames } from '../values.js';
import { dataView, summaryView, workSpecMetaView, workUnitView } from '../view.js';
import { anyDefinition } from './namespace-operations.js';
import { weighted, type Weighted } from './weighted.js';

export function workSpecOperations({ workSpec }: Refs): Weighted[] {
  const name = fc.oneof({ weight: 15, arbitrary: unitNames }, { weight: 1, arbitrary: badUnitNames });
  const anyPriority = fc.oneof({ weight: 15, arbitrary: priority }, { weight: 1, arbitrary: badPriority });
  const anyMeta = fc.oneof({ weight: 15, arbitrary: unitMeta }, { weight: 1, arbitrary: badPriority.map((bad) => ({ priority: bad })) });
  const counts = fc.constantFrom(undefined, { counts: true }, { counts: false });
  return [
    weighted(2, workSpec.map((ref) => call(ref, 'data', [], dataView))),
    weighted(10, fc.tuple(workSpec, anyDefinition()).map(([ref, definition]) => call(ref, 'setData', [definition]))),
    weighted(2, fc.tuple(workSpec, counts).map(([ref, options]) => call(ref, 'meta', [options], workSpecMetaView))),
    weighted(8, fc.tuple(workSpec, specMeta()).map(([ref, meta]) => call(ref, 'setMeta', [meta]))),
    weighted(30, fc.tuple(workSpec, name, data, anyMeta).map(([ref, ...args]) => call(ref, 'addWorkUnit', args, workUnitView))),
    weighted(24, fc.tuple(workSpec, newUnits()).map(([ref, units]) => call(ref, 'addWorkUnits', [units], (count) => count))),
    weighted(2, fc.tuple(workSpec, unitNames).map(([ref, unit]) => call(ref, 'workUnit', [unit], workUnitView))),
    weighted(8, fc.tuple(workSpec, query).map(([ref, which]) => call(ref, 'workUnits', [which], (units) => units.map(workUnitView)))),
    weighted(2, workSpec.map((ref) => call(ref, 'countWorkUnitStatus', [], (byStatus) => byStatus))),
    weighted(2, workSpec.map((ref) => call(ref, 'summarize', [], summaryView))),
    weighted(4, fc.tuple(workSpec, query, anyPriority).map(([ref, ...args]) => call(ref, 'setWorkUnitPriorities', args))),
    weighted(4, fc.tuple(workSpec, query, anyPriority).map(([ref, ...args]) => call(ref, 'adjustWorkUnitPriorities', args))),
    weighted(5, fc.tuple(workSpec, query).map(([ref, which]) => call(ref, 'deleteWorkUnits', [which], (count) => count))),
    weighted(1, workSpec.map((ref) => call(ref, 'deleteWorkUnits', [], (count) => count))),
  ];
}

/** Few names, so that often one is there twice. */
function newUnits(): fc.Arbitrary<NewWorkUnit[]> {
  const unit = fc
    .tuple(unitNames, data, unitMeta)
    .map(([name, unitData, meta]) => ({ name, data: unitData, ...(meta === undefined ? {} : { meta }) }));
  return fc.array(unit, { maxLength: 5 });
}

/** Any fields, also those that `setMeta` is to ignore. */
function specMeta(): fc.Arbitrary<Partial<WorkSpecMeta>> {
  const all: fc.Arbitrary<Partial<WorkSpecMeta>> = fc.record(
    {
      priority: fc.constantFrom(0, 0, 1, -1),
      weight: fc.constantFrom(20, 1, 0, -1),
      paused: fc.constantFrom(false, false, true),
      continuous: fc.boolean(),
      canBeContinuous: fc.boolean(),
      intervalMs: fc.constantFrom(0, 250, 60_000),
      nextContinuous: fc.constantFrom(null, START, new Date(START.getTime() + 2000)),
      maxRunning: fc.nat(3),
      maxAttemptsReturned: fc.nat(2),
      maxRetries: fc.nat(2),
      minMemoryGb: fc.constantFrom(0, 1.5),
      nextWorkSpecName: fc.constant('b'),
      runtime: fc.constant('other'),
      availableCount: fc.constant(7),
      pendingCount: fc.constant(7),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  // Most changes are of few fields, as in life: one that changes all at once mostly stops the spec.
  return fc
    .tuple(all, fc.nat(13), fc.integer({ min: 1, max: 4 }))
    .map(([meta, from, count]) => Object.fromEntries(Object.entries(meta).slice(from, from + count)));
}
