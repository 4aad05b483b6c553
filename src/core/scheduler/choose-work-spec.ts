import type { Candidate } from './candidate.js';

/** The conditions of a request that decide which work specs can serve it; what is left out admits all. */
export interface ScheduleRequest {
  readonly workSpecs?: readonly string[];
  readonly runtimes?: readonly string[];
  readonly availableGb?: number;
}

/**
 * Chooses the work spec that a request is served from, or null when none can serve it. Pure: `random` gives numbers in [0, 1).
 *
 * Of the specs that can work those of the highest priority compete; each gets a score that is the larger the further it is
 * below its weight's share of what is running, with one more unit about to be pending.
 */
export function chooseWorkSpec<C extends Candidate>(
  candidates: readonly C[],
  request: ScheduleRequest,
  now: Date,
  random: () => number,
): C | null {
  const able = candidates.filter((candidate) => isAsked(candidate, request) && canWork(candidate, now));
  const top = able.reduce((most, { priority }) => Math.max(most, priority), Number.NEGATIVE_INFINITY);
  const competing = able.filter(({ priority }) => priority === top);

  const totalWeight = sum(competing, ({ weight }) => weight);
  const totalPending = sum(competing, ({ pending }) => pending) + 1;
  const scores = competing.map(({ weight, pending }) => Math.max(0, weight * totalPending - totalWeight * pending));

  let rest = random() * scores.reduce((total, score) => total + score, 0);
  let chosen: C | null = null;
  for (const [index, score] of scores.entries()) {
    if (score <= 0) continue;
    chosen = competing[index] ?? null;
    rest -= score;
    if (rest < 0) break;
  }
  return chosen;
}

/** Whether the request's own conditions let this spec in. */
export function isAsked(
  candidate: Pick<Candidate, 'name' | 'runtime' | 'minMemoryGb'>,
  { workSpecs, runtimes, availableGb }: ScheduleRequest,
): boolean {
  if (workSpecs !== undefined && !workSpecs.includes(candidate.name)) return false;
  if (runtimes !== undefined && !runtimes.includes(candidate.runtime)) return false;
  return availableGb === undefined || candidate.minMemoryGb <= availableGb;
}

function canWork(candidate: Candidate, now: Date): boolean {
  const { paused, weight, maxRunning, pending, available } = candidate;
  if (paused || weight <= 0) return false;
  if (maxRunning > 0 && pending >= maxRunning) return false;
  return available || canStartContinuous(candidate, now);
}

/** Whether a unit may be made out of nothing: nothing is available or pending, and the interval has passed. */
export function canStartContinuous(
  { continuous, available, pending, nextContinuous }: Candidate,
  now: Date,
): boolean {
  return continuous && !available && pending === 0 && (nextContinuous === null || now >= nextContinuous);
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
