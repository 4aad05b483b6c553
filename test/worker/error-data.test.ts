import { expect, test } from 'vitest';
import { decodeData, encodeData } from '../../src/codec/index.js';
import { errorData } from '../../src/worker/error-data.js';

test('an error is its name, message, stack, code and cause', () => {
  const error = Object.assign(new TypeError('no host', { cause: new Error('refused') }), { code: 'ENOTFOUND' });
  expect(errorData(error)).toEqual({
    name: 'TypeError',
    message: 'no host',
    stack: error.stack,
    code: 'ENOTFOUND',
    cause: { name: 'Error', message: 'refused', stack: (error.cause as Error).stack },
  });
});

const circular = new Error('round');
circular.cause = circular;
const sly = new Error('sly');
Object.defineProperty(sly, 'stack', { get: () => { throw new Error('no stack'); } });
const loop: Record<string, unknown> = {};
loop.self = loop;

test.each([
  ['text', 'only text'],
  ['nothing', undefined],
  ['null', null],
  ['an object', { status: 500 }],
  ['an object in a circle', loop],
  ['a bigint', 12n],
  ['a symbol', Symbol('s')],
  ['a function', () => 1],
  ['an error that is its own cause', circular],
  ['an error whose getters throw', sly],
  ['a huge message', new Error('x'.repeat(5_000_000))],
  ['half a character', new Error('\ud800')],
  ['a message that is no text', Object.assign(new Error(''), { message: { a: 1 } as unknown as string })],
])('whatever is thrown can be stored, and is small: %s', (_what, thrown) => {
  const bytes = encodeData({ error: errorData(thrown) });
  expect(bytes.length).toBeLessThan(150_000);
  expect(decodeData(bytes)).toHaveProperty('error.message');
});

const hostile = new Proxy({}, { get: () => { throw new Error('no'); }, getPrototypeOf: () => { throw new Error('no'); } });
const causeless = Object.defineProperty(new Error('causeless'), 'cause', { get: () => { throw new Error('no'); } });
const mute = { toJSON: () => { throw new Error('no'); }, get [Symbol.toStringTag](): string { throw new Error('no'); } };

test.each([['a proxy that throws', hostile], ['a cause that throws', causeless], ['an object that cannot be shown', mute]])(
  'what throws when it is looked at does no harm: %s',
  (_what, thrown) => {
    expect(() => encodeData({ error: errorData(thrown) })).not.toThrow();
  },
);
