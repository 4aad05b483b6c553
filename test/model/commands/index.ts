import fc from 'fast-check';
import type { ClockStep, Command } from '../command.js';
import { refs } from '../refs.js';
import { clockStepMs } from '../values.js';
import { attemptOperations } from './attempt-operations.js';
import { namespaceOperations, preparation } from './namespace-operations.js';
import { workSpecOperations } from './work-spec-operations.js';
import { workUnitOperations } from './work-unit-operations.js';
import { workerOperations } from './worker-operations.js';

/** Draws a sequence. */
export function sequences(maxCommands: number, staleHandles: boolean): fc.Arbitrary<Command[]> {
  const rest = fc.array(commands(staleHandles), { maxLength: maxCommands, size: 'max' });
  return fc.tuple(preparation(), rest).map((parts) => parts.flat().slice(0, maxCommands));
}

/** Draws one command. */
function commands(staleHandles: boolean): fc.Arbitrary<Command> {
  const ways = refs(staleHandles);
  return fc.oneof(
    { weight: 40, arbitrary: clockStepMs.map(clockStep) },
    ...namespaceOperations(ways),
    ...workSpecOperations(ways),
    ...workUnitOperations(ways),
    ...workerOperations(ways),
    ...attemptOperations(ways),
  );
}

function clockStep(ms: number): ClockStep {
  return { kind: 'clock-step', ms, toString: () => `clock.advance(${ms})` };
}
