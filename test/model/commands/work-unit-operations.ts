import fc from 'fast-check';
import { call } from '../command.js';
import type { Refs } from '../refs.js';
import { badPriority, priority, unitMeta } from '../values.js';
import { attemptView, dataView, explanationView, workUnitMetaView } from '../view.js';
import { weighted, type Weighted } from './weighted.js';

export function workUnitOperations({ workUnit }: Refs): Weighted[] {
  const anyPriority = fc.oneof({ weight: 8, arbitrary: priority }, { weight: 1, arbitrary: badPriority });
  const meta = unitMeta.map((given) => given ?? {});
  return [
    weighted(2, workUnit.map((ref) => call(ref, 'data', [], dataView))),
    weighted(2, workUnit.map((ref) => call(ref, 'status', [], (status) => status))),
    weighted(2, workUnit.map((ref) => call(ref, 'meta', [], workUnitMetaView))),
    weighted(6, fc.tuple(workUnit, meta).map(([ref, change]) => call(ref, 'setMeta', [change]))),
    weighted(2, workUnit.map((ref) => call(ref, 'priority', [], (value) => value))),
    weighted(4, fc.tuple(workUnit, anyPriority).map(([ref, value]) => call(ref, 'setPriority', [value]))),
    weighted(2, workUnit.map((ref) => call(ref, 'activeAttempt', [], attemptView))),
    weighted(10, workUnit.map((ref) => call(ref, 'clearActiveAttempt', []))),
    weighted(6, workUnit.map((ref) => call(ref, 'cancel', ['no longer wanted'], (cancelled) => cancelled))),
    weighted(2, workUnit.map((ref) => call(ref, 'attempts', [], (attempts) => attempts.map(attemptView)))),
    weighted(2, workUnit.map((ref) => call(ref, 'numAttempts', [], (count) => count))),
    weighted(6, workUnit.map((ref) => call(ref, 'explain', [], (explanation, unit) => explanationView(unit)(explanation)))),
  ];
}
