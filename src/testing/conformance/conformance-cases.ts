import { addStreamCases } from './add-streams.js';
import { addWorkUnitsCases } from './add-work-units.js';
import { attemptCases } from './attempt.js';
import { badArgumentCases } from './bad-arguments.js';
import { batchReportCases } from './batch-reports.js';
import { chainingOutputCases } from './chaining-output.js';
import { chainingCases } from './chaining.js';
import { cancelCases } from './cancel.js';
import type { ConformanceCase } from './conformance-case.js';
import { continuousCases } from './continuous.js';
import { dataRoundTripCases } from './data-round-trip.js';
import { expiryCases } from './expiry.js';
import { explainCases } from './explain.js';
import { maxRetriesCases } from './max-retries.js';
import { namespaceCases } from './namespace.js';
import { queryCases } from './queries.js';
import { readUnitsCases } from './read-units.js';
import { requestAttemptsCases } from './request-attempts.js';
import { schedulingCases } from './scheduling.js';
import { schemaCases } from './schemas.js';
import { severalConnectionsCases } from './several-connections.js';
import { summaryCases } from './summaries.js';
import { supersededAttemptCases } from './superseded-attempt.js';
import { timeCases } from './time.js';
import { unusualNameCases } from './unusual-names.js';
import { workSpecMetaCases } from './work-spec-meta.js';
import { workSpecCases } from './work-spec.js';
import { workUnitNameCases } from './work-unit-name.js';
import { workUnitCases } from './work-unit.js';
import { workerCases } from './worker.js';
import { wrongBackendCases } from './wrong-backend.js';

/** The whole model, in its order. Names are unique. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...workUnitNameCases,
  ...unusualNameCases,
  ...dataRoundTripCases,
  ...workUnitCases,
  ...expiryCases,
  ...namespaceCases,
  ...summaryCases,
  ...workSpecCases,
  ...workSpecMetaCases,
  ...addWorkUnitsCases,
  ...addStreamCases,
  ...schemaCases,
  ...queryCases,
  ...readUnitsCases,
  ...workerCases,
  ...attemptCases,
  ...supersededAttemptCases,
  ...requestAttemptsCases,
  ...schedulingCases,
  ...continuousCases,
  ...maxRetriesCases,
  ...chainingCases,
  ...chainingOutputCases,
  ...timeCases,
  ...batchReportCases,
  ...cancelCases,
  ...explainCases,
  ...severalConnectionsCases,
  ...wrongBackendCases,
  ...badArgumentCases,
];
