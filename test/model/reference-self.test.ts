import { describe, expect, test } from 'vitest';
import type { Attempt } from '../../src/core/attempt/attempt.js';
import type { AttemptRequest } from '../../src/core/worker/attempt-request.js';
import { memoryCoordinate } from '../reference/index.js';
import { chosenSeed } from './chosen-seed.js';
import { withFaults, type Fault } from './faults.js';
import { runModel } from './run-model.js';

test('the reference agrees with itself', async () => {
  await runModel({ connect: async (options) => memoryCoordinate(options), runs: 30, maxCommands: 80, ...chosenSeed() });
});

/** Each is a fault that an implementation could well have; the harness is good for nothing unless it finds them. */
const faults: Record<string, Record<string, Fault>> = {
  'one unit too many is handed out': {
    'MemoryWorker.requestAttempts': (proceed, [request]) => {
      const { numberOfWorkUnits = 1, ...others } = (request ?? {}) as AttemptRequest;
      return proceed({ ...others, numberOfWorkUnits: numberOfWorkUnits + 1 });
    },
  },
  'the batch forms look before they report, so that late workers lose': {
    'MemoryNamespace.finishAll': async (proceed, args, target) => {
      await (target as { summarize(): Promise<unknown> }).summarize();
      return proceed(...args);
    },
  },
  'a finish looks before it reports': {
    'MemoryAttempt.finish': async (proceed, args, target) => {
      await (target as Attempt).read();
      return proceed(...args);
    },
  },
  'clearing a unit ends its attempt': {
    'MemoryWorkUnit.clearActiveAttempt': async (proceed, args, target) => {
      const attempt = await (target as { activeAttempt(): Promise<Attempt | null> }).activeAttempt();
      await attempt?.expire().catch(() => undefined);
      return proceed(...args);
    },
  },
  'a retry forgets its delay': {
    'MemoryAttempt.retry': (proceed, [data]) => proceed(data),
  },
  'a query forgets its limit': {
    'MemoryWorkSpec.deleteWorkUnits': (proceed, [query]) => proceed({ ...(query as object), limit: undefined }),
  },
  'an attempt loses the class of a float': {
    'MemoryWorkUnit.data': async (proceed) => JSON.parse(JSON.stringify(await proceed())) as unknown,
  },
  'the work specs are chosen from in another way': {
    'MemoryWorker.requestAttempts': (proceed, [request]) => proceed({ ...(request as object), workSpecs: ['a'] }),
  },
};

describe('the harness finds that', () => {
  test.each(Object.entries(faults))('%s', async (_name, planted) => {
    const failure = runModel({
      connect: async (options) => withFaults(memoryCoordinate(options), planted),
      runs: 1000,
      maxCommands: 80,
      // Always the same sequences: whether they meet the fault must not be a matter of luck.
      seed: 1,
      shrinkMs: 1000,
    });
    await expect(failure).rejects.toThrow(/differs from the reference[^]*real:|differs from the reference[^]*attempt/);
    // Thousands of steps, all of them computing: a slow machine with two other files beside it has taken longer than a minute.
  }, 240_000);
});
