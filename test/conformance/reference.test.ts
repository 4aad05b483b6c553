import { afterAll, describe, test } from 'vitest';
import { conformanceCases, registerConformance } from '../../src/testing/index.js';
import { memoryCoordinate } from '../reference/index.js';

/** What the reference leaves out on purpose (see its README). */
const beyondTheReference = ['explain tells that nobody has asked for the runtime lately', 'explain says it in words'];

registerConformance(
  { describe, test, afterAll },
  {
    connect: async (options) => memoryCoordinate(options),
    // Each of its connections is a store of its own.
    cases: conformanceCases.filter(
      ({ name, needsSharedBackend }) => !needsSharedBackend && !beyondTheReference.includes(name),
    ),
  },
);
