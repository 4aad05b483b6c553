import fc from 'fast-check';
import type { DataDictionary } from '../../../src/codec/index.js';
import type { Namespace, WorkerListOptions } from '../../../src/core/namespace/namespace.js';
import { call, operation, type Operation, type Ref } from '../command.js';
import { namespaceRef, workSpecRef, type Refs } from '../refs.js';
import { definition, namespaceNames, unitNames, workerNames, workSpecNames } from '../values.js';
import { namespaceView, summaryView, workerView, workSpecView } from '../view.js';
import { weighted, type Weighted } from './weighted.js';

/** The operations of Coordinate and Namespace, but for those on many attempts. */
export function namespaceOperations({ namespace }: Refs): Weighted[] {
  return [
    weighted(2, namespaceNames.map(getNamespace)),
    weighted(2, fc.constant(operation('namespaces()', async ({ coordinate }) => (await coordinate.namespaces()).map(namespaceView)))),
    weighted(2, fc.constant(operation('summarize()', async ({ coordinate }) => summaryView(await coordinate.summarize())))),
    weighted(2, namespace.map((ref) => call(ref, 'summarize', [], summaryView))),
    weighted(1, namespace.map((ref) => call(ref, 'destroy', []))),
    weighted(12, fc.tuple(namespace, anyDefinition()).map(([ref, data]) => call(ref, 'setWorkSpec', [data], workSpecView))),
    weighted(2, fc.tuple(namespace, workSpecNames).map(([ref, name]) => call(ref, 'workSpec', [name], workSpecView))),
    weighted(2, fc.tuple(namespace, workSpecNames).map(([ref, name]) => call(ref, 'destroyWorkSpec', [name]))),
    weighted(2, namespace.map((ref) => call(ref, 'workSpecNames', [], (names) => names))),
    weighted(2, fc.tuple(namespace, workerNames).map(([ref, name]) => call(ref, 'worker', [name], workerView))),
    weighted(2, fc.tuple(namespace, workerListOptions()).map(([ref, options]) => listWorkers(ref, options))),
  ];
}

function getNamespace(name: string): Operation {
  return operation(`namespace('${name}')`, async ({ coordinate }) => namespaceView(await coordinate.namespace(name)));
}

/** Now and then without a name that would do. */
export function anyDefinition(): fc.Arbitrary<DataDictionary> {
  return fc.oneof(
    { weight: 10, arbitrary: workSpecNames.chain(definition) },
    { weight: 1, arbitrary: fc.constantFrom<DataDictionary>({}, { name: '' }, { name: 7 }, { name: null }, { name: ['a'] }) },
  );
}

/** Some work specs and units, without which most commands would have nothing to work on. */
export function preparation(): fc.Arbitrary<Operation[]> {
  const namespace = namespaceRef('');
  const define = (name: string) => definition(name).map((data) => call(namespace, 'setWorkSpec', [data], workSpecView));
  const fill = (spec: string) =>
    fc
      .uniqueArray(unitNames, { minLength: 1, maxLength: 5, selector: String })
      .map((names) => names.map((name, x) => ({ name, data: { x } })))
      .map((units) => call(workSpecRef(namespace, spec), 'addWorkUnits', [units], (count) => count));
  const mostly = (one: fc.Arbitrary<Operation>) => fc.option(one, { freq: 8 });
  // The second is often left empty, for output of the first, or to make continuous units.
  return fc
    .tuple(mostly(define('a')), mostly(define('b')), mostly(fill('a')), fc.option(fill('b'), { freq: 1 }))
    .map((operations) => operations.filter((one) => one !== null));
}

function listWorkers(ref: Ref<Namespace>, options: WorkerListOptions): Operation {
  return call(ref, 'workers', [options], (workers) => workers.map(workerView));
}

function workerListOptions() {
  return fc.record({ start: workerNames, limit: fc.nat(2), activeOnly: fc.boolean() }, { requiredKeys: [], noNullPrototype: true });
}
