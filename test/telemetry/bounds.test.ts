import { describe, expect, test } from 'vitest';
import { Sample } from '../../src/telemetry/sample.js';
import { SpecLabels } from '../../src/telemetry/spec-labels.js';

describe('a sample', () => {
  test('has everything while there is room, and is empty once taken', () => {
    const sample = new Sample<number>(3, () => 0);
    for (const number of [1, 2, 3]) sample.add(number);
    expect(sample.take()).toEqual([1, 2, 3]);
    expect(sample.take()).toEqual([]);
  });

  test('holds no more than it may, each item as likely as any other', () => {
    const seen = new Array<number>(40).fill(0);
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const sample = new Sample<number>(10, random);
    for (let round = 0; round < 2_000; round++) {
      for (let number = 0; number < 40; number++) sample.add(number);
      const taken = sample.take();
      expect(taken).toHaveLength(10);
      for (const number of taken) seen[number]!++;
    }
    // 500 each, give or take five standard deviations.
    expect(Math.min(...seen)).toBeGreaterThan(400);
    expect(Math.max(...seen)).toBeLessThan(600);
  });
});

test('labels are the same for the same work spec, and shared by all beyond their number', () => {
  const labels = new SpecLabels(2);
  expect(labels.of('a', 'x')).toEqual({ namespace: 'a', work_spec: 'x' });
  expect(labels.of('b', 'x')).toEqual({ namespace: 'b', work_spec: 'x' });
  expect(labels.of('c', 'x')).toEqual({ namespace: '', work_spec: '' });
  expect(labels.of('a', 'y')).toBe(labels.of('c', 'x'));
  expect(labels.of('a', 'x')).toBe(labels.of('a', 'x'));
});
