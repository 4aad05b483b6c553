export { ManualClock } from '../clock/index.js';
export { conformanceCases } from './conformance/conformance-cases.js';
export type { ConformanceCase, ConformanceContext, ConformanceSection } from './conformance/conformance-case.js';
export type { ConformanceOptions } from './conformance/conformance-session.js';
export { registerConformance, type TestFramework } from './conformance/register-conformance.js';
export { runConformance, type ConformanceResult } from './conformance/run-conformance.js';
