import { encodeData } from '../../codec/index.js';
import { int8Array, type Row, type Statement } from '../../database/index.js';
import { freshUntil } from '../attempt/attempt-place.js';
import { claimFreshUnits } from '../attempt/claim-fresh.js';
import { leastInLeaseRanges } from '../attempt/claim-parts.js';
import { claimReadyRanges } from '../attempt/claim-ready-ranges.js';
import { claimWholeRanges, readClaimedRanges } from '../attempt/claim-whole-ranges.js';
import { claimFewUnits, claimOrFailUnits, claimUnits, readClaimed, readClaimedApart } from '../attempt/claim.js';
import { claimedUnitsFromRows, type ClaimedUnit, type ClaimTerms } from '../attempt/claimed-units.js';
import { PostgresAttempt } from '../attempt/postgres-attempt.js';
import { bytes, instant, namesArray } from '../instant.js';
import { readWatched } from '../notify/is-watched.js';
import { attemptPayloads, type AttemptChange, type AttemptReference } from '../notify/payload.js';
import { send } from '../notify/send.js';
import { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { PostgresWorkUnit } from '../work-unit/postgres-work-unit.js';
import type { CheckedRequest } from './check-attempt-request.js';
import type { PostgresWorker } from './postgres-worker.js';

/** What a unit's last, failed attempt says when its retries are spent. */
const tooManyRetries = encodeData({ traceback: 'too many retries' });

/** Which spec to claim of. */
export interface ClaimedSpec {
  readonly id: number;
  readonly name: string;
}

interface PassOptions {
  readonly from: Source;
  readonly most: number;
  /** How far to look past what is locked. */
  readonly further: number;
  readonly unlessDue: boolean;
  /** Whether to fail units whose retries are spent, or to leave them. */
  readonly failsSpent: boolean;
  /** Which ranges of units to pass by; those that turn out to be locked are added. */
  readonly heldRanges: number[];
}

/** One pass through the gate. */
export interface Pass {
  readonly attempts: PostgresAttempt[];
  /** How many it got, with those that were failed for having spent their retries. */
  readonly count: number;
  /** How many it has taken in vain, as they had left their ranges: others are to be claimed in their place. */
  readonly hadLeft: number;
  /** How many came first but were locked. */
  readonly passedBy: number;
  /** Whether there were units whose retries are spent. */
  readonly cameUponSpent: boolean;
  /** The spec's max_attempts_returned. */
  readonly mostReturned: number;
  /** What comes behind the units that were claimed, if that is something else. */
  readonly next: Next | undefined;
}

/** What to claim: rows of `ready`, or of `ready_range`; or the latter if they are whole. */
export interface Source {
  readonly kind: 'units' | 'ranges' | 'whole ranges';
  /** Before this place in the order the rows of `ready` were all claimed, or locked by somebody: those are passed by (and so is what was added since). */
  readonly after?: readonly [rank: number, name: Uint8Array];
}

export interface Next {
  readonly source: Source;
  /** The range that comes next. */
  readonly range?: number;
  /** Whether units can be claimed from it as it is; or else it has to be broken up. */
  readonly isClaimable?: boolean;
}

interface FreshClaim {
  readonly attempts: PostgresAttempt[];
  /** Whether there was no more to be had. */
  readonly isAll: boolean;
  /** Whether nothing was claimed because units of the spec wait in ranges. */
  readonly areInRanges: boolean;
  /** The spec's max_attempts_returned. */
  readonly mostReturned: number;
}

/** What was added since there was nothing, if it waits in no particular way; else nothing. */
export async function claimFresh(worker: PostgresWorker, spec: ClaimedSpec, { lifetimeMs, availableGb, runtimes }: CheckedRequest, most: number): Promise<FreshClaim> {
  const { bucket } = worker;
  const now = bucket.backend.now();
  const front = bucket.fronts.get(spec.id);
  const seen = bucket.newestNumber;
  const began = performance.now();
  const [claim] = await bucket.runThroughGate(claimFreshUnits, [
    ...[spec.id, most, worker.id, lifetimeMs, now, bucket.horizon.since(now)],
    ...[availableGb ?? null, runtimes === undefined ? null : namesArray(runtimes)],
    ...[front?.generation ?? null, front?.rank ?? null, front?.name ?? null, front?.epoch ?? null, worker.namespace.id],
  ]);
  const count = Number(claim?.taken ?? 0);
  const found = Number(claim?.found ?? Infinity);
  const mostReturned = Number(claim?.max_attempts_returned ?? 0);
  // Nothing was claimed though there is something: its retries are spent, or somebody else has it.
  const isAll = found < (mostReturned > 0 ? Math.min(most, mostReturned) : most) && (count > 0 || found === 0);
  const answer = { isAll, areInRanges: claim?.in_ranges === true, mostReturned };
  bucket.directClaims.lookedFresh(worker.namespace.id, spec.name, { isUseful: count > 0 || isAll });
  if (claim === undefined || count === 0) return { attempts: [], ...answer };
  noteNumbers(worker, claim, seen);
  bucket.lastClaims.note(spec.id, { asked: most, count, wereInRanges: false, wereAll: isAll });
  bucket.rotation.claimed(bucket.newestNumber, { isDry: isAll });
  const { attempts } = await attemptsOf(worker, spec, claim, { began, lifetimeMs, read: readClaimed, rows: claim.heads === null ? undefined : [claim] });
  return { attempts, ...answer };
}

/** Notes how far attempt numbers are; whether those of a claim come after all seen before: unless the tables were made anew under this connection. */
function noteNumbers({ bucket }: PostgresWorker, { least, greatest }: Row, seen: number): boolean {
  const isAfterSeen = Number(least) > seen;
  bucket.newestNumber = isAfterSeen ? Math.max(bucket.newestNumber, Number(greatest)) : Number(greatest);
  return isAfterSeen;
}

export async function passGate(
  worker: PostgresWorker,
  spec: ClaimedSpec,
  { lifetimeMs, availableGb, runtimes }: CheckedRequest,
  { from, most, further, unlessDue, failsSpent, heldRanges }: PassOptions,
): Promise<Pass> {
  const { bucket } = worker;
  const now = bucket.backend.now();
  const since = bucket.horizon.since(now);
  const front = bucket.fronts.get(spec.id);
  // Attempt numbers only grow, so what is claimed now comes after all that this process has seen.
  const seen = bucket.newestNumber;
  const began = performance.now();
  const read = from.kind === 'whole ranges' ? readClaimedRanges : readClaimed;
  const [[claim] = [], following] = await bucket.runThroughGateAndFollow(
    [
      claimStatement(from, { most, failsSpent }),
      [
        ...[spec.id, most, worker.id, lifetimeMs, now, further],
        ...[front?.generation ?? null, front?.rank ?? null, front?.name ?? null],
        ...[!unlessDue, since, availableGb ?? null, runtimes === undefined ? null : namesArray(runtimes)],
        ...[front?.epoch ?? null, int8Array(heldRanges)],
        ...(from.kind === 'ranges' ? (from.after ?? [null, null]) : from.kind === 'units' && failsSpent ? [tooManyRetries] : []),
      ],
    ],
    seen === 0 ? undefined : [read, [spec.id, worker.id, seen, worker.namespace.id]],
  );
  if (claim === undefined) return { attempts: [], count: 0, hadLeft: 0, passedBy: 0, cameUponSpent: false, mostReturned: 0, next: undefined };
  if (claim.due_leases === false && claim.due_delayed === false) {
    bucket.horizon.clear(since, instant(claim.now), performance.now() - began);
  }
  noteFront(worker, spec.id, claim);
  const count = Number(claim.taken);
  const next = nextOf(from, claim);
  if (claim.held_ranges !== null) heldRanges.push(...(claim.held_ranges as readonly unknown[]).map(Number));
  const wereInRanges = from.kind !== 'units' && count > 0;
  // Whether any is in ranges is told by the pass that follows where none was to be had whole.
  if (from.kind !== 'whole ranges' || next === undefined || count > 0) bucket.lastClaims.note(spec.id, { asked: most, count, wereInRanges, wereAll: next === undefined });
  const pass = {
    count,
    hadLeft: 0,
    passedBy: Number(claim.passed_by),
    cameUponSpent: claim.spent === true,
    mostReturned: Number(claim.max_attempts_returned),
    next,
  };
  const isAfterSeen = count > 0 && noteNumbers(worker, claim, seen);
  const isDry = count < most && next === undefined && (failsSpent || claim.spent !== true);
  bucket.rotation.claimed(bucket.newestNumber, { isDry, wereInRanges });
  await noteSpent(worker, spec, claim);
  if (count === 0) return { attempts: [], ...pass };
  const { attempts, held } = await attemptsOf(worker, spec, claim, { began, lifetimeMs, read, rows: isAfterSeen ? following : undefined });
  return { attempts, ...pass, count: held, hadLeft: count - held };
}

function claimStatement({ kind }: Source, { most, failsSpent }: { readonly most: number; readonly failsSpent: boolean }): Statement {
  if (kind === 'whole ranges') return claimWholeRanges;
  if (kind === 'ranges') return claimReadyRanges;
  if (failsSpent) return claimOrFailUnits;
  return most < leastInLeaseRanges ? claimFewUnits : claimUnits;
}

interface ReadOptions {
  /** When the claim was sent, by performance.now(). */
  readonly began: number;
  readonly lifetimeMs: number;
  /** What reads the units. */
  readonly read: Statement;
  /** What it has read, if it has. */
  readonly rows: readonly Row[] | undefined;
}

/** The attempts of a claim, and how many it got: fewer than it has taken if units had left their ranges, more than are here if some are lost again or could not be read. */
async function attemptsOf(
  worker: PostgresWorker,
  spec: ClaimedSpec,
  claim: Row,
  { began, lifetimeMs, read, rows: known }: ReadOptions,
): Promise<{ readonly attempts: PostgresAttempt[]; readonly held: number }> {
  const taken = Number(claim.taken);
  const firstNumber = Number(claim.least);
  const rows = known ?? (await readCommitted(worker, [read, [spec.id, worker.id, firstNumber - 1, worker.namespace.id]]));
  const terms = {
    startTime: instant(claim.now),
    expirationTime: instant(claim.expires_at),
    freshUntil: freshUntil(began, lifetimeMs),
    firstNumber,
  };
  const isOurs = ownNumbers(claim);
  const units = await claimedUnitsFromRows(worker.bucket, spec.id, rows, { isOurs, terms });
  let held = taken;
  if (read === readClaimedRanges) {
    held = sumOf(rows, isOurs, (row) => Number(row.held));
    // Those whose units have been given other data since have leases of their own by now; ranges that were split meanwhile do not list them.
    if (units.length < held || sumOf(rows, isOurs, listed) < taken) {
      try {
        units.push(...(await claimedApart(worker, spec, units, { isOurs, terms })));
        units.sort((a, b) => a.number - b.number);
        held = Math.max(held, units.length);
      } catch (error) {
        warn(worker, 'some of what was claimed is held until its lease ends', error);
      }
    }
  }
  if (rows[0]?.watched === true) await announce(worker, 'started', units);
  const workSpec = new PostgresWorkSpec(worker.namespace, spec.id, spec.name);
  return { attempts: units.map((unit) => claimedAttempt(worker, workSpec, unit)), held };
}

/** Of the rows of readClaimedRanges that are of this claim. */
function sumOf(rows: readonly Row[], isOurs: (number: number) => boolean, countOf: (row: Row) => number): number {
  return rows.reduce((sum, row) => (isOurs(Number(row.first_number)) ? sum + countOf(row) : sum), 0);
}

/** How many units a range lists. */
function listed({ unit_ids: ids, held }: Row): number {
  return ids === null ? Number(held) : (ids as readonly unknown[]).filter((id) => Number(id) > 0).length;
}

/** Those of a claim of whole ranges that are not known yet, and have leases of their own by now. */
async function claimedApart(
  worker: PostgresWorker,
  { id }: ClaimedSpec,
  known: readonly ClaimedUnit[],
  { isOurs, terms }: { readonly isOurs: (number: number) => boolean; readonly terms: ClaimTerms },
): Promise<ClaimedUnit[]> {
  // Of those that are known, some may have been given other data between the one look and the other.
  const numbers = new Set(known.map(({ number }) => number));
  const rows = await readCommitted(worker, [readClaimedApart, [id, worker.id, terms.firstNumber - 1, worker.namespace.id]]);
  return claimedUnitsFromRows(worker.bucket, id, rows, { isOurs: (number) => isOurs(number) && !numbers.has(number), terms });
}

function nextOf(from: Source, { stopped_by: by, stopped_rank: rank, stopped_name: name, held_ranges: held, may_claim_ranges: mayClaimRanges }: Row): Next | undefined {
  // Behind those that somebody has locked there may be others.
  if (held !== null && (held as readonly unknown[]).length > 0) return { source: from };
  if (by === null) return undefined;
  if (from.kind === 'units') return { source: { kind: 'ranges', after: [Number(rank), bytes(name)] }, range: Number(by), isClaimable: mayClaimRanges === true };
  if (by === 'none') return undefined;
  if (by === 'ranges') return { source: from };
  if (by === 'others') return { source: { kind: 'ranges' } };
  return { source: { kind: 'units' }, ...(by !== 'units' && { range: Number(by) }) };
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

export function warn({ bucket }: PostgresWorker, what: string, error: unknown): void {
  bucket.backend.database.logger.warn(`${what}: ${error instanceof Error ? error.message : String(error)}`);
}

/** Those whose retries are spent have been failed instead. */
async function noteSpent(worker: PostgresWorker, spec: ClaimedSpec, claim: Row): Promise<void> {
  if (claim.spent_units === null) return;
  const { bucket, namespace } = worker;
  const count = (claim.spent_units as readonly unknown[]).length;
  bucket.backend.telemetry?.onLapsed?.({ cause: 'spent', namespace: namespace.name, workSpec: spec.name, count });
  bucket.counts.count();
  // What was claimed beside them is not to be lost because nobody can be told.
  const [answer] = await bucket.run(readWatched, [namespace.id]).catch((error: unknown) => {
    warn(worker, 'others could not be notified', error);
    return [];
  });
  if (answer?.watched !== true) return;
  const numbers = claim.spent_numbers as readonly unknown[];
  const spent = (claim.spent_units as readonly unknown[]).map((unitId, index) => ({
    unitId: Number(unitId),
    number: Number(numbers[index]),
  }));
  await announce(worker, 'failed', spent);
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

/** An attempt that has just been claimed. */
export function claimedAttempt(worker: PostgresWorker, workSpec: PostgresWorkSpec, unit: ClaimedUnit): PostgresAttempt {
  const { startTime, expirationTime } = unit.terms;
  const state = { status: 'pending', number: unit.number, startTime, endTime: null, expirationTime, source: unit, place: unit } as const;
  return new PostgresAttempt(new PostgresWorkUnit(workSpec, unit.unitId, unit), worker, state);
}
