import { encodeData } from '../../codec/index.js';
import type { Statement } from '../../database/index.js';
import { claimContinuousUnit } from '../attempt/claim.js';
import { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { skipLostNumbers } from '../attempt/skip-lost-numbers.js';
import { expireDue, expireDueLimit, promoteDue, promoteDueLimit } from '../expiry/expire-due.js';
import { bytes, instant, namesArray } from '../instant.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { readWatchedFully } from '../notify/is-watched.js';
import { wakeHere } from '../notify/wake.js';
import type { WorkSignal } from '../notify/work-signal.js';
import { candidatesFromRows, listCandidates, listNamedCandidates, lookForDue, type SpecCandidate } from '../scheduler/candidates.js';
import { chooseWorkSpec } from '../scheduler/choose-work-spec.js';
import { awaitsEnd } from '../scheduler/awaited-ends.js';
import { specIdRange } from '../work-spec/spec-ids.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { CheckedRequest, NamingRequest } from './check-attempt-request.js';
import { announce } from './claim-pass.js';
import { claimUnitsOf, type Claim } from './claim-units-of.js';
import type { PostgresWorker } from './postgres-worker.js';
import { recordRuntimes } from './record-runtimes.js';
import type { LastLook } from './waiting-worker.js';

/** How often a spec may come out empty although units of it are there, before this request passes it by. */
const emptyClaims = 20;

/** How many due units a request makes available between two looks. */
const mostPromotedAtOnce = 10 * promoteDueLimit;

/**
 * Serves a request for work: chooses a spec, claims units of it, and begins anew when somebody else was faster.
 *
 * A spec whose units are there but cannot be claimed (they are locked by a transaction that is changing them, and may take
 * its time) is passed by after a few tries, so that one such transaction does not keep a worker from all other work.
 */
export async function requestAttempts(worker: PostgresWorker, request: CheckedRequest): Promise<PostgresAttempt[]> {
  const { bucket, namespace } = worker;
  const emptyHanded = new Map<number, number>();
  /** The specs of which there were only units to be failed for having spent their retries, so far. */
  const metSpent = new Set<number>();
  await recordRuntimes(namespace, request.runtimes);
  const direct = await claimDirectly(worker, request);
  if (direct.length > 0) return direct;
  for (;;) {
    const { now, candidates, isFresh, ends } = await findCandidates(worker, request);
    const left = candidates.filter(({ id }) => (emptyHanded.get(id) ?? 0) < emptyClaims);
    const chosen = chooseWorkSpec(left, request, now, bucket.backend.random);
    if (chosen === null) {
      if (!isFresh) {
        bucket.candidates.forget(namespace.id);
        continue;
      }
      if (bucket.awaitedEnds.looked(candidates, request, ends)) wakeHere(bucket, namespace.id);
      if (candidates.length === 0) await namespace.checkExists();
      bucket.rotation.claimed(bucket.newestNumber, { isDry: true });
      return [];
    }
    const { attempts, progressed } = chosen.available
      ? await claimUnitsOf(worker, chosen, request, { metSpent: metSpent.has(chosen.id) })
      : await claimContinuous(worker, chosen, request);
    bucket.candidates.claimed(namespace.id, chosen.id, attempts.length);
    if (attempts.length > 0) {
      if (request.workSpecs?.length === 1) bucket.directClaims.claimed(namespace.id, chosen.name, chosen.id, { isDry: false });
      return attempts;
    }
    if (progressed) {
      metSpent.add(chosen.id);
      continue;
    }
    await skipLostNumbers(bucket);
    if (isFresh) emptyHanded.set(chosen.id, (emptyHanded.get(chosen.id) ?? 0) + 1);
  }
}

/** Claims of the only spec that the request names, if it is known and had work a moment ago; nothing comes out whenever there is more to it. */
async function claimDirectly(worker: PostgresWorker, request: CheckedRequest): Promise<PostgresAttempt[]> {
  const [name, ...others] = request.workSpecs ?? [];
  if (name === undefined || others.length > 0) return [];
  const { bucket, namespace } = worker;
  const known = bucket.directClaims.get(namespace.id, name);
  if (known === undefined) return [];
  const { id, isWoken } = known;
  const { isContended } = bucket;
  if (isContended && (await isAnythingDue(worker))) return [];
  const { attempts, isDry = attempts.length === 0 } = await claimUnitsOf(worker, { id, name }, request, isContended ? {} : { unlessDue: true, isWoken });
  bucket.directClaims.claimed(namespace.id, name, id, { isDry });
  return attempts;
}

async function isAnythingDue({ bucket }: PostgresWorker): Promise<boolean> {
  const now = bucket.backend.now();
  const since = bucket.horizon.since(now);
  const beganAt = performance.now();
  const [due] = await bucket.run(lookForDue, [now, since]);
  if (due?.due_leases === true || due?.due_delayed === true) return true;
  bucket.horizon.clear(since, instant(due?.now), performance.now() - beganAt);
  return false;
}

/** What a request chooses from. */
interface Choice {
  readonly now: Date;
  /** Ordered by name. */
  readonly candidates: readonly SpecCandidate[];
  /** Whether they were looked up for this request. */
  readonly isFresh: boolean;
  /** How often attempts had ended before. */
  readonly ends: number;
}

/**
 * What there is to choose from, after what was due has expired or become available. Somebody else may have been dealing with that
 * (this waited for him then), so there is always another look; only if what is due cannot be had, as its units are being changed by
 * somebody who takes his time, it is left for later.
 */
async function findCandidates({ bucket, namespace }: PostgresWorker, { workSpecs }: CheckedRequest): Promise<Choice> {
  for (let isSecondLook = false; ; isSecondLook = true) {
    const now = bucket.backend.now();
    const since = bucket.horizon.since(now);
    const known = workSpecs === undefined ? bucket.candidates.get(namespace.id) : undefined;
    const { ends } = bucket.awaitedEnds;
    const look = bucket.candidates.beginLook(namespace.id);
    const [of, values] = known === undefined ? candidatesOf(namespace, workSpecs, { now, since }) : ([lookForDue, [now, since]] as const);
    const rows = await bucket.run(of, values);
    const [first] = rows;
    if (first?.due_leases === true || first?.due_delayed === true) {
      const moved = (first.due_leases === true && (await expireSome(bucket, since))) || (await promoteSome(bucket, since));
      bucket.candidates.forgetAll();
      if (moved || !isSecondLook) continue;
    } else {
      bucket.horizon.clear(since, instant(first?.now), performance.now() - look.beganAt);
    }
    if (known !== undefined) return { now: instant(first?.now), candidates: known, isFresh: false, ends };
    const candidates = candidatesFromRows(rows);
    if (workSpecs === undefined) bucket.candidates.endLook(look, candidates);
    return { now: instant(first?.now), candidates, isFresh: true, ends };
  }
}

/** The statement that looks for candidates, with its values. */
function candidatesOf(
  { bucket, id }: PostgresNamespace,
  workSpecs: readonly string[] | undefined,
  { now, since }: { readonly now: string | null; readonly since: string | null },
): [Statement, readonly unknown[]] {
  const [specIds, ranks, names, ...seen] = bucket.fronts.parameters();
  const at = [now, since, ...seen];
  if (workSpecs === undefined) return [listCandidates, [specIds, ranks, names, ...specIdRange(id), ...at]];
  return [listNamedCandidates, [specIds, ranks, names, id, namesArray(workSpecs), ...at]];
}

/** See IdleWorker. */
export async function armAndLook({ bucket, namespace }: PostgresWorker, signal: WorkSignal, { workSpecs }: NamingRequest): Promise<LastLook> {
  let since: string | null = null;
  let [beganAt, wakes] = [0, 0];
  const { dueMs, rows } = await signal.armAndRun(() => {
    const now = bucket.backend.now();
    since = bucket.horizon.since(now);
    beganAt = performance.now();
    ({ wakes } = bucket.directClaims);
    return bucket.step(...candidatesOf(namespace, workSpecs, { now, since }));
  });
  const [first] = rows ?? [];
  if (rows === undefined || first === undefined || first.due_leases === true || first.due_delayed === true) return { dueMs, hasNothing: false };
  bucket.horizon.clear(since, instant(first.now), performance.now() - beganAt);
  const candidates = candidatesFromRows(rows);
  // Where there is no spec at all, a request looks whether there is a namespace; where one waits for an attempt to end, it says so.
  const hasNothing = candidates.length > 0 && candidates.every(({ available, continuous }) => !available && !continuous);
  // What can be had is claimed without another look, what is added from now on as such.
  for (const candidate of candidates) {
    const isDry = !candidate.available || awaitsEnd(candidate);
    bucket.directClaims.looked(namespace.id, candidate.name, { isDry, wakes });
  }
  if (hasNothing) bucket.rotation.claimed(bucket.newestNumber, { isDry: true });
  return { dueMs, hasNothing };
}

/** Whether anything was overdue that could be expired. */
async function expireSome(bucket: PostgresWorker['bucket'], since: string | null): Promise<boolean> {
  const [row] = await bucket.run(expireDue, [bucket.backend.now(), expireDueLimit, since]);
  const expired = Number(row?.expired);
  if (expired > 0) bucket.backend.telemetry?.onExpired?.(expired);
  return expired > 0;
}

/** Promotes what is due, in batches, as the most urgent of it is to be claimed first; whether there was anything. */
async function promoteSome(bucket: PostgresWorker['bucket'], since: string | null): Promise<boolean> {
  for (let promoted = 0; ; ) {
    const [row] = await bucket.run(promoteDue, [bucket.backend.now(), promoteDueLimit, since]);
    const batch = Number(row?.promoted);
    promoted += batch;
    if (batch < promoteDueLimit || promoted >= mostPromotedAtOnce) return promoted > 0;
  }
}

async function claimContinuous(worker: PostgresWorker, spec: SpecCandidate, request: CheckedRequest): Promise<Claim> {
  const { bucket } = worker;
  const empty = encodeData({});
  const [row] = await bucket.runThroughGate(claimContinuousUnit, [
    spec.id,
    worker.id,
    request.lifetimeMs,
    empty,
    bucket.backend.now(),
  ]);
  if (row === undefined) return { attempts: [], progressed: false };
  bucket.counts.count();
  const [unitId, number] = [Number(row.unit_id), Number(row.number)];
  const [answer] = await bucket.run(readWatchedFully, [worker.namespace.id]);
  if (answer?.watched === true) await announce(worker, 'started', [{ unitId, number }]);
  const unit = new PostgresWorkUnit(new PostgresWorkSpec(worker.namespace, spec.id, spec.name), unitId, bytes(row.name));
  const times = { startTime: instant(row.started_at), endTime: null, expirationTime: instant(row.expires_at) };
  const attempt = new PostgresAttempt(unit, worker, { status: 'pending', number, source: { data: {} }, ...times });
  return { attempts: [attempt], progressed: true };
}
