import { byteaArray, int8Array, type Row } from '../../database/index.js';
import { decodeData, encodeData } from '../../codec/index.js';
import { claimContinuousUnit, claimUnits, readClaimed } from '../attempt/claim.js';
import { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { skipLostNumbers } from '../attempt/skip-lost-numbers.js';
import { expireDue, expireDueLimit, promoteDue, promoteDueLimit } from '../expiry/expire-due.js';
import { bytes, instant } from '../instant.js';
import { readWatched, readWatchedFully } from '../notify/is-watched.js';
import { attemptPayloads, type AttemptChange } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { candidateFromRow, listCandidates, listNamedCandidates, lookForDue, type SpecCandidate } from '../scheduler/candidates.js';
import { chooseWorkSpec } from '../scheduler/choose-work-spec.js';
import { specIdRange } from '../work-spec/spec-ids.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { CheckedRequest } from './check-attempt-request.js';
import type { PostgresWorker } from './postgres-worker.js';
import { recordRuntimes } from './record-runtimes.js';

/** What a unit's last, failed attempt says when its retries are spent. */
const tooManyRetries = { traceback: 'too many retries' };

/** How often a spec may come out empty although units of it are there, before this request passes it by. */
const emptyClaims = 20;

/** How many units pass the gate at once; a request for more passes it several times, and others between. */
const mostAtOnce = 1_000;

/** How many due units a request makes available between two looks. */
const mostPromotedAtOnce = 10 * promoteDueLimit;

/** One claim's answer. */
interface Claim {
  readonly attempts: PostgresAttempt[];
  /** Whether anything was claimed, be it only to be failed for having spent its retries. */
  readonly progressed: boolean;
}

/**
 * Serves a request for work: chooses a spec, claims units of it, and begins anew when somebody else was faster.
 *
 * A spec whose units are there but cannot be claimed (they are locked by a transaction that is changing them, and may take
 * its time) is passed by after a few tries, so that one such transaction does not keep a worker from all other work.
 */
export async function requestAttempts(worker: PostgresWorker, request: CheckedRequest): Promise<PostgresAttempt[]> {
  const { bucket, namespace } = worker;
  const emptyHanded = new Map<number, number>();
  await recordRuntimes(namespace, request.runtimes);
  for (;;) {
    const { now, candidates, isFresh } = await findCandidates(worker, request);
    const left = candidates.filter(({ id }) => (emptyHanded.get(id) ?? 0) < emptyClaims);
    const chosen = chooseWorkSpec(left, request, now, bucket.backend.random);
    if (chosen === null) {
      if (!isFresh) {
        bucket.candidates.forget(namespace.id);
        continue;
      }
      if (candidates.length === 0) await namespace.checkExists();
      bucket.rotation.count(0, { isGoodMoment: true });
      return [];
    }
    const { attempts, progressed } = await (chosen.available ? claim : claimContinuous)(worker, chosen, request);
    bucket.candidates.claimed(namespace.id, chosen.id, attempts.length);
    if (attempts.length > 0) return attempts;
    if (progressed) continue;
    await skipLostNumbers(bucket);
    if (isFresh) emptyHanded.set(chosen.id, (emptyHanded.get(chosen.id) ?? 0) + 1);
  }
}

/** What a request chooses from. */
interface Choice {
  readonly now: Date;
  /** Ordered by name. */
  readonly candidates: readonly SpecCandidate[];
  /** Whether they were looked up for this request. */
  readonly isFresh: boolean;
}

/**
 * What there is to choose from, after what was due has expired or become available. Somebody else may have been dealing with that
 * (this waited for him then), so there is always another look; only if what is due cannot be had, as its units are being changed by
 * somebody who takes his time, it is left for later.
 */
async function findCandidates({ bucket, namespace }: PostgresWorker, { workSpecs }: CheckedRequest): Promise<Choice> {
  for (let isSecondLook = false; ; isSecondLook = true) {
    const now = bucket.backend.now();
    const known = workSpecs === undefined ? bucket.candidates.get(namespace.id) : undefined;
    const look = bucket.candidates.beginLook(namespace.id);
    const rows = await lookUp();
    const [first] = rows;
    if (first?.due_leases === true || first?.due_delayed === true) {
      const moved = (first.due_leases === true && (await expireSome(bucket))) || (await promoteSome(bucket));
      bucket.candidates.forgetAll();
      if (moved || !isSecondLook) continue;
    }
    if (known !== undefined) return { now: instant(first?.now), candidates: known, isFresh: false };
    const candidates = rows.filter((row) => row.id !== null).map(candidateFromRow);
    if (workSpecs === undefined) bucket.candidates.endLook(look, candidates);
    return { now: instant(first?.now), candidates, isFresh: true };

    function lookUp(): Promise<readonly Row[]> {
      if (known !== undefined) return bucket.run(lookForDue, [now]);
      if (workSpecs === undefined) return bucket.run(listCandidates, [...specIdRange(namespace.id), now]);
      return bucket.run(listNamedCandidates, [namespace.id, byteaArray(workSpecs.map((name) => Buffer.from(name))), now]);
    }
  }
}

/** Whether anything was overdue that could be expired. */
async function expireSome(bucket: PostgresWorker['bucket']): Promise<boolean> {
  const [row] = await bucket.run(expireDue, [bucket.backend.now(), expireDueLimit]);
  const expired = Number(row?.expired);
  if (expired > 0) bucket.backend.telemetry?.onExpired?.(expired);
  return expired > 0;
}

/** Promotes what is due, in batches, as the most urgent of it is to be claimed first; whether there was anything. */
async function promoteSome(bucket: PostgresWorker['bucket']): Promise<boolean> {
  for (let promoted = 0; ; ) {
    const [row] = await bucket.run(promoteDue, [bucket.backend.now(), promoteDueLimit]);
    const batch = Number(row?.promoted);
    promoted += batch;
    if (batch < promoteDueLimit || promoted >= mostPromotedAtOnce) return promoted > 0;
  }
}

async function claim(worker: PostgresWorker, spec: SpecCandidate, request: CheckedRequest): Promise<Claim> {
  const attempts: PostgresAttempt[] = [];
  const { maxAttemptsReturned } = spec;
  const asked = Math.min(request.numberOfWorkUnits, maxAttemptsReturned > 0 ? maxAttemptsReturned : Infinity);
  for (let total = 0; ; ) {
    const most = Math.min(asked - total, mostAtOnce);
    const taken = await claimAtOnce(worker, spec, most, request.lifetimeMs);
    attempts.push(...taken.attempts);
    total += taken.count;
    if (taken.count < most || total >= asked) return { attempts, progressed: total > 0 };
  }
}

/** One pass through the gate; `count` includes units that were failed for having spent their retries. */
async function claimAtOnce(
  worker: PostgresWorker,
  spec: SpecCandidate,
  most: number,
  lifetimeMs: number,
): Promise<{ attempts: PostgresAttempt[]; count: number }> {
  const { bucket } = worker;
  const rows = await bucket.runThroughGate(claimUnits, [
    spec.id,
    most,
    worker.id,
    lifetimeMs,
    encodeData(tooManyRetries),
    bucket.backend.now(),
  ]);
  // When a spec has run dry, a segment may have: it lies in the way of every claim until it is truncated.
  bucket.rotation.count(rows.length, { isGoodMoment: rows.length < most });
  const held = rows.filter((row) => row.spent !== true);
  if (held.length < rows.length) {
    bucket.counts.count();
    const [answer] = await bucket.run(readWatched, [worker.namespace.id]);
    if (answer?.watched === true) await announce(worker, 'failed', rows.filter((row) => row.spent === true));
  }
  if (held.length === 0) return { attempts: [], count: rows.length };
  // Without those that were taken away again meanwhile: superseded, or deleted.
  const claimed = await bucket.run(readClaimed, [
    spec.id,
    int8Array(held.map((row) => Number(row.unit_id))),
    int8Array(held.map((row) => Number(row.number))),
    worker.namespace.id,
  ]);
  if (claimed[0]?.watched === true) await announce(worker, 'started', claimed);
  const workSpec = new PostgresWorkSpec(worker.namespace, spec.id, spec.name);
  return { attempts: claimed.map((row) => attemptOf(worker, workSpec, row, bytes(row.data))), count: rows.length };
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
  const [answer] = await bucket.run(readWatchedFully, [worker.namespace.id]);
  if (answer?.watched === true) await announce(worker, 'started', [row]);
  const workSpec = new PostgresWorkSpec(worker.namespace, spec.id, spec.name);
  return { attempts: [attemptOf(worker, workSpec, row, empty)], progressed: true };
}

/** Tells who watches what has become of attempts. */
async function announce({ bucket, namespace }: PostgresWorker, change: AttemptChange, rows: readonly Row[]): Promise<void> {
  const attempts = rows.map((row) => ({ unitId: Number(row.unit_id), number: Number(row.number) }));
  await send(bucket, attemptPayloads(change, namespace.id, attempts));
}

function attemptOf(worker: PostgresWorker, workSpec: PostgresWorkSpec, row: Row, payload: Buffer): PostgresAttempt {
  return new PostgresAttempt(new PostgresWorkUnit(workSpec, Number(row.unit_id), bytes(row.name)), worker, {
    number: Number(row.number),
    status: 'pending',
    data: decodeData(payload),
    startTime: instant(row.started_at),
    endTime: null,
    expirationTime: instant(row.expires_at),
  });
}
