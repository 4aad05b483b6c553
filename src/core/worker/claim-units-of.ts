import { decodeData } from '../../codec/index.js';
import { byteaArray, type Row, type Statement } from '../../database/index.js';
import { freshUntil } from '../attempt/attempt-place.js';
import { claimedUnitsFromRow, type ClaimedUnit } from '../attempt/claimed-units.js';
import { claimUnits, readClaimed } from '../attempt/claim.js';
import { failSpent } from '../attempt/fail-spent.js';
import { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { bytes, instant } from '../instant.js';
import { readWatched } from '../notify/is-watched.js';
import { attemptPayloads, type AttemptChange, type AttemptReference } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { CheckedRequest } from './check-attempt-request.js';
import type { PostgresWorker } from './postgres-worker.js';

/** How many units pass the gate at once; a request for more passes it several times, and others between. */
const mostAtOnce = 1_000;

/** How far past units that somebody else has locked a claim looks at most. */
const furthest = 16 * mostAtOnce;

/** Which spec to claim of. */
interface ClaimedSpec {
  readonly id: number;
  readonly name: string;
}

/** One claim's answer. */
export interface Claim {
  readonly attempts: PostgresAttempt[];
  /** Whether anything was claimed, be it only to be failed for having spent its retries. */
  readonly progressed: boolean;
}

/** Claims units of one spec, in as many passes through the gate as it takes. With `unlessDue`, nothing while anything has to expire or be promoted. */
export async function claimUnitsOf(
  worker: PostgresWorker,
  spec: ClaimedSpec,
  request: CheckedRequest,
  { unlessDue = false } = {},
): Promise<Claim> {
  const attempts: PostgresAttempt[] = [];
  let asked = request.numberOfWorkUnits;
  let further = 0;
  for (let total = 0; ; ) {
    const most = Math.min(asked - total, mostAtOnce);
    let pass: Pass;
    try {
      pass = await passGate(worker, spec, request, { most, further, unlessDue });
    } catch (error) {
      // What was claimed before is to be worked on; whoever asks again meets the same trouble.
      if (attempts.length > 0) return { attempts, progressed: true };
      throw error;
    }
    attempts.push(...pass.attempts);
    total += pass.count;
    if (pass.mostReturned > 0) asked = Math.min(asked, pass.mostReturned);
    const isShort = pass.count < most;
    // Those in front are somebody else's for the moment: what is behind them can be had.
    if (isShort && pass.passedBy > 0 && further < furthest && total < asked) further = Math.min(furthest, 2 * (further + pass.passedBy));
    else if (isShort || total >= asked) return { attempts, progressed: total > 0 };
  }
}

/** One pass through the gate. */
interface Pass {
  readonly attempts: PostgresAttempt[];
  /** How many were claimed, with those that were failed for having spent their retries. */
  readonly count: number;
  /** How many came first but were locked. */
  readonly passedBy: number;
  /** The spec's max_attempts_returned. */
  readonly mostReturned: number;
}

async function passGate(
  worker: PostgresWorker,
  spec: ClaimedSpec,
  request: CheckedRequest,
  { most, further, unlessDue }: { readonly most: number; readonly further: number; readonly unlessDue: boolean },
): Promise<Pass> {
  const { bucket } = worker;
  const { lifetimeMs, availableGb, runtimes } = request;
  const now = bucket.backend.now();
  const since = bucket.horizon.since(now);
  const front = bucket.fronts.get(spec.id);
  // Attempt numbers only grow, so what is claimed now comes after all that this process has seen.
  const seen = bucket.newestNumber;
  const readAfter = (number: number): readonly [typeof readClaimed, readonly unknown[]] => [
    readClaimed,
    [spec.id, worker.id, number, worker.namespace.id],
  ];
  const began = performance.now();
  const [[claim] = [], following] = await bucket.runThroughGateAndFollow(
    [
      claimUnits,
      [
        ...[spec.id, most, worker.id, lifetimeMs, now, further],
        ...[front?.generation ?? null, front?.rank ?? null, front?.name ?? null],
        ...[!unlessDue, since, availableGb ?? null, runtimes === undefined ? null : byteaArray(runtimes.map((name) => Buffer.from(name)))],
        front?.epoch ?? null,
      ],
    ],
    seen === 0 ? undefined : readAfter(seen),
  );
  if (claim === undefined) return { attempts: [], count: 0, passedBy: 0, mostReturned: 0 };
  if (claim.due_leases !== true && claim.due_delayed !== true) {
    bucket.horizon.clear(since, instant(claim.now), performance.now() - began);
  }
  noteFront(worker, spec.id, claim);
  const taken = Number(claim.taken);
  // Unless the tables were made anew under this connection.
  const isAfterSeen = Number(claim.least) > seen;
  if (taken > 0) bucket.newestNumber = isAfterSeen ? Math.max(bucket.newestNumber, Number(claim.greatest)) : Number(claim.greatest);
  const spent = await failSpentOf(worker, spec, request, claim);
  const count = taken + spent.failed;
  bucket.rotation.claimed(bucket.newestNumber, { isDry: count < most });
  const pass = { count, passedBy: Number(claim.passed_by) + spent.left, mostReturned: Number(claim.max_attempts_returned) };
  if (taken === 0) return { attempts: [], ...pass };
  const rows = (isAfterSeen ? following : undefined) ?? (await readCommitted(worker, readAfter(Number(claim.least) - 1)));
  const units = await claimedUnitsFromRow(bucket, spec.id, rows[0], { isOurs: ownNumbers(claim), freshUntil: freshUntil(began, lifetimeMs) });
  if (rows[0]?.watched === true) await announce(worker, 'started', units);
  const workSpec = new PostgresWorkSpec(worker.namespace, spec.id, spec.name);
  const times = { startTime: instant(claim.now), expirationTime: instant(claim.expires_at) };
  return { attempts: units.map((unit) => claimedAttempt(worker, workSpec, unit, times)), ...pass };
}

/** READ COMMITTED even in sessions that are not by default: it must not fail for want of predicate locks, as its units are claimed. */
async function readCommitted({ bucket }: PostgresWorker, [of, values]: readonly [Statement, readonly unknown[]]): Promise<readonly Row[]> {
  const [rows = []] = await bucket.backend.database.transactionInOneTrip({}, [bucket.step(of, values)]);
  return rows;
}

function noteFront({ bucket }: PostgresWorker, specId: number, claim: Row): void {
  if (claim.sealed_rank === null || Number(claim.sealed) === 0 || typeof claim.epoch !== 'string') return;
  const name = claim.sealed_name === null ? Buffer.alloc(0) : bytes(claim.sealed_name);
  bucket.fronts.set(specId, { epoch: claim.epoch, generation: Number(claim.sealed), rank: Number(claim.sealed_rank), name });
}

/** What has become of units whose retries are spent. */
interface Spent {
  readonly failed: number;
  /** How many somebody else holds. */
  readonly left: number;
}

/** Fails what the claim came upon whose retries are spent. */
async function failSpentOf(worker: PostgresWorker, spec: ClaimedSpec, { lifetimeMs }: CheckedRequest, claim: Row): Promise<Spent> {
  const { bucket, namespace } = worker;
  const count = Number(claim.spent);
  if (count === 0) return { failed: 0, left: 0 };
  const places = String(claim.spent_places);
  let failed: readonly AttemptReference[];
  try {
    failed = await bucket.backend.database.continuing(() => failSpent(bucket, { specId: spec.id, workerId: worker.id, lifetimeMs, places }));
  } catch (error) {
    // What was claimed beside them is not to be lost: the next claim comes upon them again.
    if (Number(claim.taken) > 0) return { failed: 0, left: count };
    throw error;
  }
  if (failed.length === 0) return { failed: 0, left: count };
  bucket.backend.telemetry?.onLapsed?.({ cause: 'spent', namespace: namespace.name, workSpec: spec.name, count: failed.length });
  bucket.counts.count();
  const [answer] = await bucket.run(readWatched, [namespace.id]);
  if (answer?.watched === true) await announce(worker, 'failed', failed);
  return { failed: failed.length, left: count - failed.length };
}

/** Which numbers are this claim's: mostly all between the least and the greatest, but somebody may have forced an attempt meanwhile. */
function ownNumbers({ least, greatest, numbers }: Row): (number: number) => boolean {
  if (numbers !== null) {
    const own = new Set((numbers as readonly unknown[]).map(Number));
    return (number) => own.has(number);
  }
  const [from, to] = [Number(least), Number(greatest)];
  return (number) => number >= from && number <= to;
}

/** Tells who watches what has become of attempts. */
export async function announce(
  { bucket, namespace }: PostgresWorker,
  change: AttemptChange,
  attempts: readonly AttemptReference[],
): Promise<void> {
  await send(bucket, attemptPayloads(change, namespace.id, attempts));
}

/** A unit just claimed as an attempt. */
export function claimedAttempt(
  worker: PostgresWorker,
  workSpec: PostgresWorkSpec,
  { unitId, number, name, data, place }: ClaimedUnit,
  times: { readonly startTime: Date; readonly expirationTime: Date },
): PostgresAttempt {
  return new PostgresAttempt(new PostgresWorkUnit(workSpec, unitId, name), worker, {
    number,
    status: 'pending',
    data: decodeData(data),
    place,
    endTime: null,
    ...times,
  });
}
