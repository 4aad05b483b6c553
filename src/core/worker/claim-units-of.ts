import { breakUpReadyRange } from '../attempt/claim-ready-ranges.js';
import { leastInLeaseRanges, mostOfReadyRange } from '../attempt/claim-parts.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { mostClaimedAtOnce, mostClaimedInWholeRanges } from './attempt-request.js';
import type { CheckedRequest } from './check-attempt-request.js';
import { claimFresh, passGate, warn, type ClaimedSpec, type Next, type Pass, type Source } from './claim-pass.js';
import type { PostgresWorker } from './postgres-worker.js';

/** A request for fewer does not claim from ranges of units: the row of one would be written for each. */
const leastClaimedInRanges = 64;

/** How many ranges a request passes by that somebody else has locked. */
const mostHeldRanges = 100;

/** How far past units that somebody else has locked a claim looks at most. */
const furthest = 16 * mostClaimedAtOnce;

/** One claim's answer. */
export interface Claim {
  readonly attempts: PostgresAttempt[];
  /** Whether anything was claimed, be it only to be failed for having spent its retries. */
  readonly progressed: boolean;
  /** Whether nothing was left, as far as is known. */
  readonly isDry?: boolean;
}

export interface ClaimOptions {
  /** Claims nothing while anything has to expire or be promoted. @default false */
  readonly unlessDue?: boolean;
  /** Whether this request has come upon units whose retries are spent: then it is to fail them from the first pass on. @default false */
  readonly metSpent?: boolean;
  /** Whether the last claim left nothing, and something was added since; goes with `unlessDue`. @default false */
  readonly isWoken?: boolean;
}

/** Claims units of one spec, in as many passes through the gate as it takes. */
export async function claimUnitsOf(
  worker: PostgresWorker,
  spec: ClaimedSpec,
  request: CheckedRequest,
  { unlessDue = false, metSpent = false, isWoken = false }: ClaimOptions = {},
): Promise<Claim> {
  const { lastClaims } = worker.bucket;
  const attempts: PostgresAttempt[] = [];
  const heldRanges: number[] = [];
  let asked = request.numberOfWorkUnits;
  let further = 0;
  let failsSpent = metSpent;
  const wholeFirst = (): Source => ({ kind: lastClaims.expectsWholeRanges(spec.id) ? 'whole ranges' : 'ranges' });
  let from: Source = asked >= leastClaimedInRanges && !failsSpent && lastClaims.expectsRanges(spec.id) ? wholeFirst() : { kind: 'units' };
  let next: Next | undefined;
  let total = 0;
  if (isWoken) {
    const most = Math.min(asked, leastInLeaseRanges - 1);
    const fresh = await claimFresh(worker, spec, request, most);
    attempts.push(...fresh.attempts);
    total = fresh.attempts.length;
    if (fresh.mostReturned > 0) asked = Math.min(asked, fresh.mostReturned);
    if (fresh.isAll || total >= asked) return { attempts, progressed: total > 0, isDry: fresh.isAll };
    if (fresh.areInRanges && asked >= leastClaimedInRanges) from = wholeFirst();
  }
  for (;;) {
    let most = 0;
    let pass: Pass;
    try {
      if (next !== undefined) from = await nextSource(worker, next, { left: asked - total, heldRanges });
      // Where there were few a moment ago, a few come first: they are claimed faster by themselves.
      const isFirstOfFew = from.kind === 'units' && total === 0 && !lastClaims.expectsMany(spec.id);
      const mostOfKind = from.kind === 'whole ranges' ? mostClaimedInWholeRanges : mostClaimedAtOnce;
      most = Math.min(asked - total, isFirstOfFew ? leastInLeaseRanges - 1 : mostOfKind);
      pass = await passGate(worker, spec, request, { from, most, further, unlessDue, failsSpent, heldRanges });
    } catch (error) {
      if (attempts.length === 0) throw error;
      // What was claimed before is to be worked on; whoever asks for more meets the same trouble.
      warn(worker, 'not all that was asked for could be claimed (if it was after all, it is held until its lease ends)', error);
      return { attempts, progressed: true };
    }
    attempts.push(...pass.attempts);
    total += pass.count;
    next = undefined;
    if (pass.mostReturned > 0) asked = Math.min(asked, pass.mostReturned);
    const isShort = pass.count < most;
    if (isShort && from.kind === 'whole ranges') {
      // What is missing is less than a range.
      if (request.mayBeFewer && pass.count > 0 && asked - total < mostOfReadyRange) return { attempts, progressed: true };
      if (pass.next?.source.kind === 'ranges') lastClaims.noteNotWhole(spec.id);
    }
    // Less than a range is to be had from the next one only.
    const makesUp: Next | undefined = pass.hadLeft > 0 ? { source: asked - total < mostOfReadyRange ? { kind: 'ranges' } : from } : undefined;
    const following = pass.next ?? makesUp;
    // Handlers can begin with those.
    if (request.mayBeFewer && attempts.length >= mostClaimedAtOnce) return { attempts, progressed: true };
    // Units whose retries are spent are in front: another statement fails them on its way.
    if (pass.cameUponSpent && !failsSpent && total < asked) failsSpent = true;
    else if (isShort && following !== undefined && total < asked && heldRanges.length < mostHeldRanges) next = following;
    // Those in front are somebody else's for the moment: what is behind them can be had.
    else if (isShort && pass.passedBy > 0 && further < furthest && total < asked) further = Math.min(furthest, 2 * (further + pass.passedBy));
    else if (isShort || total >= asked) return { attempts, progressed: total > 0 };
  }
}

/** Where to go on, after a range that cannot be claimed as it is, or from, was broken up. */
async function nextSource(
  { bucket }: PostgresWorker,
  { source, range, isClaimable }: Next,
  { left, heldRanges }: { readonly left: number; readonly heldRanges: number[] },
): Promise<Source> {
  if (range === undefined || (isClaimable && left >= leastClaimedInRanges)) return source;
  const [row] = await bucket.runBehindGate(breakUpReadyRange, [range]);
  if (row?.is_held === true) heldRanges.push(range);
  return { kind: 'units' };
}

