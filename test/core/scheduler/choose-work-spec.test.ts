import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Candidate } from '../../../src/core/scheduler/candidate.js';
import { canStartContinuous, chooseWorkSpec, type ScheduleRequest, isAsked } from '../../../src/core/scheduler/choose-work-spec.js';

const now = new Date('2015-11-20T14:00:00Z');

/** A spec with work, of no special need. */
function candidate(changes: Partial<Candidate> = {}): Candidate {
  return {
    name: 'spec',
    priority: 0,
    weight: 20,
    paused: false,
    continuous: false,
    nextContinuous: null,
    maxRunning: 0,
    minMemoryGb: 0,
    runtime: '',
    available: true,
    pending: 0,
    ...changes,
  };
}

function chosen(candidates: readonly Candidate[], request: ScheduleRequest = {}, random = 0): string | null {
  return chooseWorkSpec(candidates, request, now, () => random)?.name ?? null;
}

/** The score as the model gives it, for all that compete. */
function scoresOf(competing: readonly Candidate[]): number[] {
  const totalWeight = competing.reduce((total, { weight }) => total + weight, 0);
  const totalPending = competing.reduce((total, { pending }) => total + pending, 0);
  return competing.map(({ weight, pending }) => Math.max(0, weight * (totalPending + 1) - totalWeight * pending));
}

describe('chooseWorkSpec', () => {
  test('chooses nothing of nothing', () => {
    expect(chosen([])).toBeNull();
  });

  test('chooses the only spec, whatever the random number', () => {
    for (const random of [0, 0.5, 1 - Number.EPSILON]) expect(chosen([candidate()], {}, random)).toBe('spec');
  });

  test.each<[string, Partial<Candidate>]>([
    ['paused', { paused: true }],
    ['of no weight', { weight: 0 }],
    ['of negative weight', { weight: -1 }],
    ['at its limit', { maxRunning: 2, pending: 2 }],
    ['over its limit', { maxRunning: 2, pending: 3 }],
    ['without work', { available: false }],
  ])('leaves out a spec %s', (_, changes) => {
    expect(chosen([candidate(changes)])).toBeNull();
  });

  test('takes a spec below its limit', () => {
    expect(chosen([candidate({ maxRunning: 2, pending: 1 })])).toBe('spec');
  });

  test('takes a maxRunning of 0 for no limit', () => {
    expect(chosen([candidate({ maxRunning: 0, pending: 1000 })])).toBe('spec');
  });

  test('keeps those of the highest priority that can work', () => {
    const candidates = [
      candidate({ name: 'paused', priority: 9, paused: true }),
      candidate({ name: 'low', priority: -1, weight: 1000 }),
      candidate({ name: 'high', priority: 0.5, weight: 1 }),
    ];
    expect(chosen(candidates, {}, 0.99)).toBe('high');
    expect(chosen(candidates, { workSpecs: ['low'] })).toBe('low');
  });

  test('scores by weight and by what is pending', () => {
    // 20 × 2 − 30 × 1 = 10 and 10 × 2 − 30 × 0 = 20.
    const candidates = [candidate({ name: 'a', weight: 20, pending: 1 }), candidate({ name: 'b', weight: 10 })];
    expect(chosen(candidates, {}, 0)).toBe('a');
    expect(chosen(candidates, {}, 0.333)).toBe('a');
    expect(chosen(candidates, {}, 0.334)).toBe('b');
    expect(chosen(candidates, {}, 0.999)).toBe('b');
  });

  test('drops a score of 0', () => {
    // 10 × 2 − 20 × 1 = 0 and 10 × 2 = 20.
    const candidates = [candidate({ name: 'a', weight: 10, pending: 1 }), candidate({ name: 'b', weight: 10 })];
    expect(chosen(candidates, {}, 0)).toBe('b');
  });

  test('leaves what cannot work out of the totals', () => {
    const candidates = [
      candidate({ name: 'a', weight: 10 }),
      candidate({ name: 'b', weight: 10 }),
      candidate({ name: 'c', weight: 1000, pending: 50, available: false }),
    ];
    expect(chosen(candidates, {}, 0.49)).toBe('a');
    expect(chosen(candidates, {}, 0.51)).toBe('b');
  });

  test('draws one random number', () => {
    let drawn = 0;
    chooseWorkSpec([candidate({ name: 'a' }), candidate({ name: 'b' }), candidate({ name: 'c' })], {}, now, () => {
      drawn += 1;
      return 0.5;
    });
    expect(drawn).toBe(1);
  });
});

describe('isAsked', () => {
  test('lets everything in when nothing is said', () => {
    expect(isAsked(candidate({ runtime: 'go', minMemoryGb: 64 }), {})).toBe(true);
  });

  test('goes by the name of the spec', () => {
    expect(isAsked(candidate(), { workSpecs: ['other', 'spec'] })).toBe(true);
    expect(isAsked(candidate(), { workSpecs: ['other'] })).toBe(false);
    expect(isAsked(candidate(), { workSpecs: [] })).toBe(false);
  });

  test('goes by the exact runtime, the empty one too', () => {
    expect(isAsked(candidate({ runtime: 'go' }), { runtimes: ['go'] })).toBe(true);
    expect(isAsked(candidate({ runtime: 'go' }), { runtimes: ['', 'Go', 'golang'] })).toBe(false);
    expect(isAsked(candidate({ runtime: '' }), { runtimes: [''] })).toBe(true);
    expect(isAsked(candidate({ runtime: '' }), { runtimes: ['go'] })).toBe(false);
    expect(isAsked(candidate({ runtime: '' }), { runtimes: [] })).toBe(false);
  });

  test('goes by the memory there is', () => {
    expect(isAsked(candidate({ minMemoryGb: 2 }), { availableGb: 2 })).toBe(true);
    expect(isAsked(candidate({ minMemoryGb: 2 }), { availableGb: 1.9 })).toBe(false);
    expect(isAsked(candidate({ minMemoryGb: 2 }), { availableGb: 0 })).toBe(false);
  });
});

describe('canStartContinuous', () => {
  const continuous = candidate({ continuous: true, available: false });

  test('is for continuous specs with nothing available or pending', () => {
    expect(canStartContinuous(continuous, now)).toBe(true);
    expect(canStartContinuous({ ...continuous, continuous: false }, now)).toBe(false);
    expect(canStartContinuous({ ...continuous, available: true }, now)).toBe(false);
    expect(canStartContinuous({ ...continuous, pending: 1 }, now)).toBe(false);
  });

  test('waits for nextContinuous, and no longer', () => {
    expect(canStartContinuous({ ...continuous, nextContinuous: new Date(now.getTime() + 1) }, now)).toBe(false);
    expect(canStartContinuous({ ...continuous, nextContinuous: now }, now)).toBe(true);
  });

  test('makes a spec without units one to choose', () => {
    expect(chosen([continuous])).toBe('spec');
    expect(chosen([{ ...continuous, paused: true }])).toBeNull();
    expect(chosen([{ ...continuous, weight: 0 }])).toBeNull();
  });
});

describe('for any candidates and any request', () => {
  const anyCandidate: fc.Arbitrary<Candidate> = fc.record({
    name: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
    priority: fc.constantFrom(-1, 0, 0, 0.5),
    weight: fc.integer({ min: -1, max: 30 }),
    paused: fc.boolean(),
    continuous: fc.boolean(),
    nextContinuous: fc.option(fc.integer({ min: -2, max: 2 }).map((ms) => new Date(now.getTime() + ms))),
    maxRunning: fc.integer({ min: 0, max: 3 }),
    minMemoryGb: fc.integer({ min: 0, max: 3 }),
    runtime: fc.constantFrom('', 'go', 'python'),
    available: fc.boolean(),
    pending: fc.integer({ min: 0, max: 5 }),
  });
  const anyCandidates = fc.uniqueArray(anyCandidate, { selector: ({ name }) => name, maxLength: 5 });
  const anyRequest: fc.Arbitrary<ScheduleRequest> = fc.record(
    {
      workSpecs: fc.subarray(['a', 'b', 'c', 'd', 'e']),
      runtimes: fc.subarray(['', 'go', 'python']),
      availableGb: fc.integer({ min: 0, max: 3 }),
    },
    { requiredKeys: [] },
  );
  const anyRandom = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  /** Step 1 of the model, said over again. */
  function isEligible(of: Candidate, { workSpecs, runtimes, availableGb }: ScheduleRequest): boolean {
    const leftOut = [
      of.paused,
      of.weight <= 0,
      workSpecs !== undefined && !workSpecs.includes(of.name),
      runtimes !== undefined && !runtimes.includes(of.runtime),
      availableGb !== undefined && of.minMemoryGb > availableGb,
      of.maxRunning > 0 && of.pending >= of.maxRunning,
      !of.available && !(of.continuous && of.pending === 0 && (of.nextContinuous === null || of.nextContinuous <= now)),
    ];
    return !leftOut.includes(true);
  }

  function competingOf(candidates: readonly Candidate[], request: ScheduleRequest): Candidate[] {
    const eligible = candidates.filter((each) => isEligible(each, request));
    return eligible.filter(({ priority }) => eligible.every((other) => other.priority <= priority));
  }

  test('what is chosen is eligible and of the highest priority; nothing is chosen only when nothing is eligible', () => {
    fc.assert(
      fc.property(anyCandidates, anyRequest, anyRandom, (candidates, request, random) => {
        const competing = competingOf(candidates, request);
        const choice = chooseWorkSpec(candidates, request, now, () => random);
        if (choice === null) expect(competing).toEqual([]);
        else expect(competing).toContain(choice);
      }),
    );
  });

  test('each is chosen by as large a part of the random numbers as its part of the scores', () => {
    const steps = 1000;
    fc.assert(
      fc.property(anyCandidates, anyRequest, (candidates, request) => {
        const competing = competingOf(candidates, request);
        const scores = scoresOf(competing);
        const total = scores.reduce((sum, score) => sum + score, 0);
        const picks = new Map<string | null, number>();
        for (let step = 0; step < steps; step++) {
          const name = chosen(candidates, request, (step + 0.5) / steps);
          picks.set(name, (picks.get(name) ?? 0) + 1);
        }
        // Of evenly spread numbers an interval holds its length, but for one at its edges.
        for (const [index, { name }] of competing.entries()) {
          const share = (steps * (scores[index] ?? 0)) / total;
          expect(Math.abs((picks.get(name) ?? 0) - share)).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 50 },
    );
  });

  test('the candidates are left as they are', () => {
    fc.assert(
      fc.property(anyCandidates, anyRequest, anyRandom, (candidates, request, random) => {
        const before = structuredClone(candidates);
        chooseWorkSpec(candidates, request, now, () => random);
        expect(candidates).toEqual(before);
      }),
    );
  });
});
