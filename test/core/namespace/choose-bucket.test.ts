import { describe, expect, test } from 'vitest';
import { chooseBucket } from '../../../src/core/namespace/choose-bucket.js';

describe('chooseBucket', () => {
  test.each([
    ['', 256, 20],
    ['acme', 256, 160],
    ['my-org', 256, 3],
    ['tenant1', 256, 199],
    ['tenant2', 256, 254],
    ['tenant3', 256, 95],
    ['ünïcode', 256, 178],
    // 0 stands for the last one.
    ['o63', 256, 256],
    ['acme', 16, 16],
    ['my-org', 16, 3],
  ])('puts %j of %i buckets into %i', (name, buckets, expected) => {
    expect(chooseBucket(name, buckets)).toBe(expected);
  });

  test('has no choice among one', () => {
    for (let index = 0; index < 100; index++) expect(chooseBucket(`namespace ${index}`, 1)).toBe(1);
  });

  test('stays within 1 and the number of buckets, and uses all of them', () => {
    const chosen = Array.from({ length: 2_000 }, (_, index) => chooseBucket(`namespace ${index}`, 7));
    expect([...new Set(chosen)].toSorted()).toEqual([1, 2, 3, 4, 5, 6, 7]);
  });

  test('keeps names apart that differ by normalisation only', () => {
    expect(chooseBucket('\u00fc', 2 ** 40)).not.toBe(chooseBucket('u\u0308', 2 ** 40));
  });
});
