import { describe, expect, test } from 'vitest';
import { decodeName, decodeTextName, encodeName } from '../../../src/rest/wire/index.js';

describe('a name in a path', () => {
  test.each([
    ['abc', 'abc'],
    ['A-z.0_9:', 'A-z.0_9:'],
    ['', '-'],
    ['-', '-LQ'],
    ['\0', '-AA'],
    ['-a', '-LWE'],
    ['a b', '-YSBi'],
    ['a/b', '-YS9i'],
    ['ä', '-w6Q'],
    // Go takes these for safe, and its own clean-up of paths loses them.
    ['.', '-Lg'],
    ['..', '-Li4'],
    ['...', '...'],
  ])('%j is written %s', (name, segment) => {
    expect(encodeName(name)).toBe(segment);
    expect(decodeTextName(segment)).toBe(name);
  });

  test('may be any bytes', () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    expect(decodeName(encodeName(bytes))).toEqual(Buffer.from(bytes));
    expect(encodeName(Uint8Array.of(0xff))).toBe('-_w');
  });

  test('is read as it is when it need not have been encoded', () => {
    expect(decodeTextName('-YWJj')).toBe('abc');
    expect(decodeTextName('a b/ä')).toBe('a b/ä');
  });

  test.each(['-!', '-A', '-YWJj=', '-YW+j', '-YW Jj'])('%j is refused', (segment) => {
    expect(() => decodeName(segment)).toThrow(expect.objectContaining({ code: 'MalformedRequest' }));
  });

  test('must be UTF-8 where it is text', () => {
    expect(() => decodeTextName('-_w')).toThrow('The request cannot be understood: the name "-_w" is not UTF-8');
  });
});
