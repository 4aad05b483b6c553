import { describe, expect, test } from 'vitest';
import { GoneError } from '../../src/errors/index.js';
import {
  conformanceCases,
  registerConformance,
  runConformance,
  type ConformanceCase,
  type ConformanceContext,
  type ConformanceResult,
} from '../../src/testing/index.js';
import { memoryCoordinate } from '../reference/index.js';

function caseOf(run: (context: ConformanceContext) => Promise<void>, name = 'a case'): ConformanceCase {
  return { name, section: 'Objects', needsSharedBackend: false, run };
}

const connect = async (options: Parameters<typeof memoryCoordinate>[0]) => memoryCoordinate(options);

describe('the conformance suite', () => {
  test('has no two cases of one name', () => {
    const names = conformanceCases.map(({ name }) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test('tells of cases that fail, and goes on', async () => {
    const failure = new Error('seen');
    const told: ConformanceResult[] = [];
    const cases = [caseOf(async () => undefined), caseOf(() => Promise.reject(failure)), caseOf(async () => undefined)];
    const results = await runConformance({ connect, cases, onResult: (result) => told.push(result) });
    expect(results.map(({ passed }) => passed)).toEqual([true, false, true]);
    expect(results[1]?.error).toBe(failure);
    expect(told).toEqual(results);
  });

  test('gives each case a fresh namespace, the time and the random numbers of the start', async () => {
    const seen: { name: string; time: Date; random: number }[] = [];
    let random: () => number = () => Number.NaN;
    const look = caseOf(async ({ namespace, clock, setRandom }) => {
      seen.push({ name: namespace.name, time: clock.now(), random: random() });
      clock.advance(1);
      setRandom(() => 2);
    });
    await runConformance({
      connect: async (options) => {
        random = options.random;
        return memoryCoordinate(options);
      },
      cases: [look, look],
    });
    expect(seen[0]?.name).not.toBe(seen[1]?.name);
    expect(seen[0]?.time).toEqual(seen[1]?.time);
    expect(seen[0]?.random).toBe(seen[1]?.random);
  });

  test('leaves nothing behind: namespaces are destroyed and connections closed, also after a failure', async () => {
    const closed: boolean[] = [];
    const gone: unknown[] = [];
    await runConformance({
      connect: async (options) => {
        const coordinate = memoryCoordinate(options);
        const at = closed.push(false) - 1;
        return Object.assign(coordinate, { close: async () => void (closed[at] = true) });
      },
      cases: [
        caseOf(async ({ connect: connectAgain, namespace }) => {
          await connectAgain();
          gone.push(namespace);
          throw new Error('on purpose');
        }),
        caseOf(async () => {
          await expect((gone[0] as ConformanceContext['namespace']).workSpecNames()).rejects.toBeInstanceOf(GoneError);
        }),
      ],
    }).then((results) => expect(results.map(({ passed }) => passed)).toEqual([false, true]));
    expect(closed).toEqual([true, true]);
  });

  test('registers one test for each case, in one describe for each section', async () => {
    const registered: string[] = [];
    const runs: (() => Promise<void>)[] = [];
    const framework = {
      describe: (name: string, register: () => void) => {
        registered.push(`# ${name}`);
        register();
      },
      test: (name: string, run: () => Promise<void>) => {
        registered.push(name);
        runs.push(run);
      },
      afterAll: (run: () => Promise<void>) => runs.push(run),
    };
    let ran = 0;
    const count = async (): Promise<void> => void (ran += 1);
    registerConformance(framework, { connect, cases: [caseOf(count, 'one'), caseOf(count, 'two')] });
    expect(registered).toEqual(['# Objects', 'one', 'two']);
    for (const run of runs) await run();
    expect(ran).toBe(2);
  });
});
