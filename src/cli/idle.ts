import { setTimeout as pause } from 'node:timers/promises';
import type { Namespace } from '../core/namespace/namespace.js';
import type { Candidate } from '../core/scheduler/candidate.js';
import { chooseWorkSpec } from '../core/scheduler/choose-work-spec.js';
import { GoneError, NoSuchWorkSpecError } from '../errors/index.js';

/** What a worker would ask for. */
interface Request {
  readonly runtimes?: readonly string[];
  readonly availableGb?: number;
}

interface IdleOptions {
  readonly namespace: Namespace;
  /** The names that there are handlers for: of work specs, or tasks of their definitions. */
  readonly handlers: readonly string[];
  readonly request: Request;
  readonly load: () => { readonly running: number; readonly queued: number; readonly unreported: number };
  readonly signal: AbortSignal;
}

/** How often to look. */
const periodMs = 100;

/** Resolves once the worker has nothing in its hands and could claim nothing, or the signal fires, be it in the midst of a look. */
export async function untilIdle(options: IdleOptions): Promise<void> {
  const { signal } = options;
  if (signal.aborted) return;
  const found = new AbortController();
  const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true, signal: found.signal }));
  await Promise.race([untilFoundIdle(options), aborted]).finally(() => found.abort());
}

async function untilFoundIdle({ namespace, handlers, request, load, signal }: IdleOptions): Promise<void> {
  while (!signal.aborted) {
    await pause(periodMs, undefined, { signal }).catch(() => undefined);
    if (signal.aborted) return;
    const { running, queued, unreported } = load();
    if (running + queued + unreported === 0 && !(await hasWork(namespace, handlers, request))) return;
  }
}

/** Whether a worker with these handlers would be given a unit now. */
export async function hasWork(namespace: Namespace, handlers: readonly string[], request: Request): Promise<boolean> {
  const candidates: Candidate[] = [];
  for (const name of await namespace.workSpecNames()) {
    const candidate = await candidateOf(namespace, name, handlers);
    if (candidate !== null) candidates.push(candidate);
  }
  return chooseWorkSpec(candidates, request, await namespace.coordinate.now(), () => 0) !== null;
}

/** Null for a work spec that there is no handler for. */
async function candidateOf(namespace: Namespace, name: string, handlers: readonly string[]): Promise<Candidate | null> {
  try {
    const spec = await namespace.workSpec(name);
    if (!handlers.includes(name) && !handlers.includes(String((await spec.data()).task))) return null;
    const meta = await spec.meta({ counts: true });
    return { ...meta, name, available: meta.availableCount > 0, pending: meta.pendingCount };
  } catch (error) {
    if (error instanceof NoSuchWorkSpecError || error instanceof GoneError) return null;
    throw error;
  }
}
