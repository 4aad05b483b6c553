import fc from 'fast-check';
import type { Attempt } from '../../../src/core/attempt/attempt.js';
import type { AttemptRequest } from '../../../src/core/worker/attempt-request.js';
import type { Worker, WorkerUpdate } from '../../../src/core/worker/worker.js';
import type { WorkUnit } from '../../../src/core/work-unit/work-unit.js';
import { call, operation, showArguments, type Operation, type Ref } from '../command.js';
import { show } from '../compare.js';
import type { Refs } from '../refs.js';
import { data, lifetimeMs, START, workSpecNames } from '../values.js';
import { attemptView, workerStateView, workerView } from '../view.js';
import { weighted, type Weighted } from './weighted.js';

export function workerOperations({ worker, workUnit }: Refs): Weighted[] {
  const parent = fc.option(worker);
  const random = fc.double({ min: 0, max: 0.999, noNaN: true });
  const viewAll = (attempts: Attempt[]) => attempts.map(attemptView);
  return [
    weighted(2, worker.map((ref) => call(ref, 'read', [], workerStateView))),
    weighted(4, fc.tuple(worker, workerUpdate()).map(([ref, update]) => call(ref, 'update', [update]))),
    weighted(2, worker.map((ref) => call(ref, 'deactivate', []))),
    weighted(5, fc.tuple(worker, parent).map(([ref, parentRef]) => setParent(ref, parentRef))),
    weighted(2, worker.map((ref) => call(ref, 'children', [], (workers) => workers.map(workerView)))),
    weighted(80, fc.tuple(worker, attemptRequest(), random).map(([ref, ...args]) => requestAttempts(ref, ...args))),
    weighted(20, fc.tuple(worker, workUnit, lifetimeMs).map(([ref, ...args]) => makeAttempt(ref, ...args))),
    weighted(2, worker.map((ref) => call(ref, 'activeAttempts', [], viewAll))),
    weighted(4, fc.tuple(worker, fc.option(fc.nat(4)), fc.constantFrom(undefined, 0, 1, 2)).map(([ref, ...args]) => allAttempts(ref, ...args))),
    weighted(2, worker.map((ref) => call(ref, 'childAttempts', [], viewAll))),
  ];
}

function workerUpdate(): fc.Arbitrary<WorkerUpdate> {
  const time = fc.constantFrom(0, 60_000).map((ms) => new Date(START.getTime() + ms));
  return fc.record(
    { data: fc.option(data), now: time, expiration: time, mode: fc.constantFrom('', 'run') },
    { requiredKeys: ['data'], noNullPrototype: true },
  );
}

/** Most requests are open to all, so that what is there can be handed out. */
function attemptRequest(): fc.Arbitrary<AttemptRequest | undefined> {
  const any = fc.record(
    { numberOfWorkUnits: fc.integer({ min: -1, max: 5 }), lifetimeMs: lifetimeMs.map((ms) => ms ?? 2000) },
    { requiredKeys: [], noNullPrototype: true },
  );
  const narrow = fc.record(
    {
      numberOfWorkUnits: fc.nat(3),
      workSpecs: fc.array(workSpecNames, { maxLength: 2 }),
      runtimes: fc.subarray(['', 'js']),
      availableGb: fc.constantFrom(0, 1.5, 8),
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  return fc.oneof(fc.constant(undefined), { weight: 3, arbitrary: any }, narrow);
}

/** `random` decides between work specs of equal priority. */
function requestAttempts(ref: Ref<Worker>, request: AttemptRequest | undefined, random: number): Operation {
  const text = `${ref.text}.requestAttempts(${showArguments([request])}) /* random ${random.toFixed(3)} */`;
  return operation(text, async (side) => {
    const worker = await ref.resolve(side);
    side.world.random = random;
    const attempts = await worker.requestAttempts(request);
    side.made.push(...attempts);
    return attempts.map(attemptView);
  });
}

function makeAttempt(ref: Ref<Worker>, unitRef: Ref<WorkUnit>, lifetime: number | undefined): Operation {
  const text = `${ref.text}.makeAttempt(${[unitRef.text, ...(lifetime === undefined ? [] : [lifetime])].join(', ')})`;
  return operation(text, async (side) => {
    const unit = await unitRef.resolve(side);
    const attempt = await (await ref.resolve(side)).makeAttempt(unit, lifetime);
    side.made.push(attempt);
    return attemptView(attempt);
  });
}

function setParent(ref: Ref<Worker>, parentRef: Ref<Worker> | null): Operation {
  return operation(`${ref.text}.setParent(${parentRef?.text ?? 'null'})`, async (side) => {
    const parent = parentRef === null ? null : await parentRef.resolve(side);
    await (await ref.resolve(side)).setParent(parent);
  });
}

/** A page that starts after one of the worker's own attempts; `index` may be beyond them. */
function allAttempts(ref: Ref<Worker>, index: number | null, limit: number | undefined): Operation {
  const after = index === null ? '' : `after: the number of its attempt [${index}], `;
  return operation(`${ref.text}.allAttempts({ ${after}limit: ${show(limit)} })`, async (side) => {
    const worker = await ref.resolve(side);
    const number = index === null ? undefined : (await worker.allAttempts())[index]?.number;
    const page = { ...(number === undefined ? {} : { after: number }), ...(limit === undefined ? {} : { limit }) };
    return (await worker.allAttempts(page)).map(attemptView);
  });
}
