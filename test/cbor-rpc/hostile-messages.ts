import fc from 'fast-check';
import { methodTable } from '../../src/cbor-rpc/method-table.js';
import { CborFloat, PythonTuple, Tagged } from '../../src/codec/index.js';
import { damaged } from '../fuzz/damaged.js';
import { message, request } from './client.js';

/** Names that mean something to somebody, among others. */
const name = fc.constantFrom('spec', 'unit', 'me', '', 'x', '__proto__', 'constructor', 'naïve\0', '\u{1f600}');

const value = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthIdentifier: 'value' },
    name,
    name.map((text) => new Uint8Array(Buffer.from(text))),
    fc.integer({ min: -2, max: 6 }),
    fc.constantFrom(2 ** 53, -(2 ** 60), 2n ** 64n - 1n, -(2n ** 64n), 1e308, Infinity, Number.NaN, new CborFloat(1), 0.5),
    fc.constantFrom(null, true, false),
    fc.uint8Array({ maxLength: 12 }),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => new PythonTuple(items)),
    fc.dictionary(
      fc.constantFrom('name', 'data', 'state', 'status', 'limit', 'start', 'max_jobs', 'lease_time', 'work_unit_keys', 'priority', 'delay', 'all', 'output'),
      tie('value'),
      { maxKeys: 4 },
    ),
    tie('value').map((inner) => new Tagged(1, inner)),
  ),
})).value;

const method = fc.constantFrom(...methodTable.keys(), 'nothing');

/** Calls of the methods there are, with anything for parameters. */
export const call = fc
  .tuple(method, fc.oneof(fc.array(value, { maxLength: 5 }), value), fc.nat())
  .map(([called, params, id]) => request(id, called, Array.isArray(params) ? params.slice(0, methodTable.get(called)?.method.parameters.length) : params));

/** Calls with as many parameters as the method has, the first of which name what there is. */
export const likelyCall = fc.tuple(method, fc.array(value, { minLength: 5, maxLength: 5 }), fc.boolean()).map(([called, params, isNamed]) => {
  const count = methodTable.get(called)?.method.parameters.length ?? 0;
  return request(1, called, [...(isNamed ? ['spec'] : []), ...params].slice(0, count));
});

/** Bytes of no meaning. */
export const noise = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes));

/** Proper messages around improper content. */
export const wrappedNoise = fc.uint8Array({ maxLength: 60 }).map(message);

/** Well-formed calls with some bytes changed, left out or put in. */
export const damagedCall = damaged(call);
