import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Those that take longest, so that no process is busy with one of them when the others have nothing left to do. */
const longest = [
  'worker/ending',
  'cli/transports',
  'concurrency/weights',
  'worker/lease/keep-leases',
  'example/example',
  'concurrency/same-names',
  'rest/crowd/crowd',
  'model/',
  'database/embedded/',
  'worker/isolated/',
  'worker/lease/blocked-thread',
  'fuzz/fuzz',
  'concurrency/',
  'database/pools',
  'rest/client/conformance',
  'core/notify/silent',
  'rest/client/worker',
];

/**
 * One project after the other: a process goes on to another file of its own project only, with all that it has imported, and ends when
 * the next file is one of another's. Of each project those first that take longest.
 */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // By size, or by what each took the last time if that is known.
    const sorted = await super.sort(files);
    return sorted.sort((a, b) => a.project.name.localeCompare(b.project.name) || rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const index = longest.findIndex((part) => moduleId.includes(`/test/${part}`));
  return index === -1 ? longest.length : index;
}
