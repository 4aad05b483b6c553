import type { ConformanceCase } from './conformance-case.js';
import { conformanceCases } from './conformance-cases.js';
import { ConformanceSession, type ConformanceOptions } from './conformance-session.js';

/** What came of one case; `error` is undefined when the behaviour was seen. */
export interface ConformanceResult {
  readonly case: ConformanceCase;
  readonly passed: boolean;
  readonly error: unknown;
}

/**
 * Runs every case without a test framework, one after another. A case that fails raises nothing here: look at the results.
 *
 * @example
 * const results = await runConformance({ connect: ({ clock, random }) => connect(url, { clock, random }) });
 * process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
 */
export async function runConformance(
  options: ConformanceOptions & {
    /** Told of each result as it comes. */
    onResult?(result: ConformanceResult): void;
  },
): Promise<ConformanceResult[]> {
  const session = new ConformanceSession(options);
  const results: ConformanceResult[] = [];
  try {
    for (const conformanceCase of options.cases ?? conformanceCases) {
      const result = await resultOf(session, conformanceCase);
      results.push(result);
      options.onResult?.(result);
    }
  } finally {
    await session.close();
  }
  return results;
}

async function resultOf(session: ConformanceSession, conformanceCase: ConformanceCase): Promise<ConformanceResult> {
  try {
    await session.run(conformanceCase);
    return { case: conformanceCase, passed: true, error: undefined };
  } catch (error) {
    return { case: conformanceCase, passed: false, error };
  }
}
