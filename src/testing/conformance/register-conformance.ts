import type { ConformanceCase } from './conformance-case.js';
import { conformanceCases } from './conformance-cases.js';
import { ConformanceSession, type ConformanceOptions } from './conformance-session.js';

/** The functions of a test framework, as Vitest, Jest and node:test (whose `after` is the `afterAll` here) have them. */
export interface TestFramework {
  describe(name: string, register: () => void): unknown;
  test(name: string, run: () => Promise<void>): unknown;
  afterAll(run: () => Promise<void>): unknown;
}

/**
 * Registers every case as a test, in one `describe` per section of the model. The tests of a section share a connection and must
 * run one after another, as they do in these frameworks unless told otherwise.
 */
export function registerConformance({ describe, test, afterAll }: TestFramework, options: ConformanceOptions): void {
  for (const [section, ofSection] of casesBySection(options.cases ?? conformanceCases)) {
    describe(section, () => {
      const session = new ConformanceSession(options);
      for (const conformanceCase of ofSection) test(conformanceCase.name, () => session.run(conformanceCase));
      afterAll(() => session.close());
    });
  }
}

function casesBySection(cases: readonly ConformanceCase[]): Map<string, ConformanceCase[]> {
  const sections = new Map<string, ConformanceCase[]>();
  for (const conformanceCase of cases) {
    const { section } = conformanceCase;
    sections.set(section, [...(sections.get(section) ?? []), conformanceCase]);
  }
  return sections;
}
