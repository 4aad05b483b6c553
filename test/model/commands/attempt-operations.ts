import fc from 'fast-check';
import type { DataDictionary } from '../../../src/codec/index.js';
import type { Attempt } from '../../../src/core/attempt/attempt.js';
import type { AttemptReport, AttemptVerdict } from '../../../src/core/attempt/attempt-report.js';
import type { Namespace } from '../../../src/core/namespace/namespace.js';
import { call, operation, showArguments, type Operation, type Ref } from '../command.js';
import type { Refs } from '../refs.js';
import { lifetimeMs, reportedData } from '../values.js';
import { timeView, verdictView, dataView } from '../view.js';
import { weighted, type Weighted } from './weighted.js';

const givenData = fc.option(reportedData, { nil: undefined });
const delayMs = fc.constantFrom(undefined, 0, 500, 2000);

export function attemptOperations({ madeAttempt, unitAttempt }: Refs): Weighted[] {
  return [
    weighted(2, fc.oneof(madeAttempt, unitAttempt).map((ref) => call(ref, 'read', [], ({ status, data, endTime, expirationTime }) => ({
      status,
      data: dataView(data),
      endTime: timeView(endTime),
      expirationTime: timeView(expirationTime),
    })))),
    ...reports(20, madeAttempt, true),
    ...reports(2, unitAttempt, false),
    weighted(14, batch(madeAttempt).map((items) => reportAll('finishAll', items))),
    weighted(8, batch(madeAttempt).map((items) => reportAll('failAll', items))),
    weighted(8, fc.tuple(batch(madeAttempt), lifetimeMs).map(([items, lifetime]) => reportAll('renewAll', items, lifetime))),
  ];
}

/** On attempts that were handed out these look at nothing else, so they are reports; to find others means to look. */
function reports(weight: number, attempt: fc.Arbitrary<Ref<Attempt>>, isReport: boolean): Weighted[] {
  const report = (operations: fc.Arbitrary<Operation>) => operations.map((one) => ({ ...one, isReport }));
  return [
    weighted(weight, report(fc.tuple(attempt, lifetimeMs, givenData).map(([ref, ...args]) => call(ref, 'renew', args)))),
    weighted(weight, report(fc.tuple(attempt, givenData).map(([ref, ...args]) => call(ref, 'expire', args)))),
    weighted(2 * weight, report(fc.tuple(attempt, givenData).map(([ref, ...args]) => call(ref, 'finish', args)))),
    weighted(weight, report(fc.tuple(attempt, givenData).map(([ref, ...args]) => call(ref, 'fail', args)))),
    weighted(weight, report(fc.tuple(attempt, givenData, delayMs).map(([ref, ...args]) => call(ref, 'retry', args)))),
  ];
}

interface BatchItem {
  readonly attempt: Ref<Attempt>;
  readonly data: DataDictionary | undefined;
}

function batch(attempt: fc.Arbitrary<Ref<Attempt>>): fc.Arbitrary<BatchItem[]> {
  return fc.array(fc.record({ attempt, data: givenData }, { noNullPrototype: true }), { minLength: 1, maxLength: 4 });
}

/** Asks the namespace of the first attempt. Those of other namespaces are left out: what becomes of them the model does not say. */
function reportAll(method: 'finishAll' | 'failAll' | 'renewAll', items: readonly BatchItem[], lifetime?: number): Operation {
  const shown = items.map(({ attempt, data }) => `{ attempt: ${attempt.text}${data === undefined ? '' : `, data: ${showArguments([data])}`} }`);
  const text = `${method}([${shown.join(', ')}]${lifetime === undefined ? '' : `, ${lifetime}`})`;
  const run = async (side: Parameters<Operation['run']>[0]) => {
    const resolved = await Promise.all(items.map(async ({ attempt, data }) => ({ attempt: await attempt.resolve(side), data })));
    const namespace = resolved[0]?.attempt.worker.namespace;
    const batchReports = resolved
      .filter(({ attempt }) => attempt.worker.namespace.name === namespace?.name)
      .map(({ attempt, data }) => ({ attempt, ...(data === undefined ? {} : { data }) }));
    return namespace === undefined ? undefined : (await send(namespace, method, batchReports, lifetime)).map(verdictView);
  };
  return operation(text, run, true);
}

async function send(namespace: Namespace, method: string, items: AttemptReport[], lifetime?: number): Promise<AttemptVerdict[]> {
  if (method === 'finishAll') return namespace.finishAll(items);
  return method === 'failAll' ? namespace.failAll(items) : namespace.renewAll(items, lifetime);
}
