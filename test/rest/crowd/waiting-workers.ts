import { setMaxListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { CoordinateError } from 'pg-coordinate';
import { connectRest } from 'pg-coordinate/rest';
import { epochMs } from './epoch.js';
import type { UnitData } from './produce.js';

/** Workers that all ask one server. */
export interface WorkersSettings {
  /** The server. */
  readonly url: string;
  readonly namespace: string;
  readonly workSpec: string;
  /** How many wait at the same time. */
  readonly count: number;
  /** What their names begin with. */
  readonly prefix: string;
  /** After so long a unit that was handed out, and not reported, is handed out again. */
  readonly lifetimeMs: number;
}

/** A unit that was handed to a worker. */
export interface Handed {
  readonly unit: string;
  readonly attempt: number;
  /** From when the producer asked to add it until the worker had it, in milliseconds. */
  readonly latencyMs: number;
  /** Whether its producer had to ask again, as there was no answer. */
  readonly addedAgain: boolean;
  /** Whether the server has accepted that it is finished; 'unknown': there was no answer. */
  readonly finished: boolean | 'unknown';
}

/** What became of it all. */
export interface WorkersResult {
  readonly handed: readonly Handed[];
  /** Requests that no server was there to answer. */
  readonly unanswered: number;
  /** All other errors, by what they say. */
  readonly errors: Readonly<Record<string, number>>;
}

export interface WaitingWorkers {
  /** Each worker comes to the end of what it is doing. */
  stop(): Promise<WorkersResult>;
}

/** How long a request for work waits at the server: some of them end without any. */
const waitMs = 20_000;

/** How long to leave a server alone that does not answer, at first and at most, in milliseconds. */
const shortestPauseMs = 50;
const longestPauseMs = 2_000;

/** What a report meets whose unit is somebody else's by now. */
const tooLate: readonly string[] = ['LostLease', 'NotPending'];

/**
 * So many workers over HTTP, each with a request for work waiting at the server, all the time; what one is given it finishes at once. Resolves once
 * the server knows all of them. They outlast the server: while it is not there they ask again and again.
 */
export async function startWaitingWorkers(settings: WorkersSettings): Promise<WaitingWorkers> {
  const { url, workSpec, count, prefix, lifetimeMs } = settings;
  const coordinate = await connectRest(url, { retries: 0 });
  const namespace = await coordinate.namespace(settings.namespace);
  const workers = await Promise.all(Array.from({ length: count }, (_, index) => namespace.worker(`${prefix}-${index}`)));
  const stopping = new AbortController();
  const { signal } = stopping;
  setMaxListeners(0, signal);
  const handed: Handed[] = [];
  const errors: Record<string, number> = {};
  let unanswered = 0;

  /** Whether it was only that no server answered. */
  const note = (error: unknown): boolean => {
    if (error instanceof CoordinateError && error.code === 'ServerUnreachable') {
      unanswered++;
      return true;
    }
    const text = String(error);
    errors[text] = (errors[text] ?? 0) + 1;
    return false;
  };

  const workOnce = async (worker: (typeof workers)[number]): Promise<void> => {
    const request = { workSpecs: [workSpec], numberOfWorkUnits: 1, lifetimeMs };
    for (const attempt of await worker.requestAttemptsOrWait<UnitData>(request, { waitMs, signal })) {
      const { at, again } = attempt.data;
      const latencyMs = epochMs() - at;
      const finished = await attempt.finish().then(
        () => true,
        (error: unknown) => {
          if (error instanceof CoordinateError && tooLate.includes(error.code)) return false;
          note(error);
          return 'unknown' as const;
        },
      );
      handed.push({ unit: attempt.workUnit.name, attempt: attempt.number, latencyMs, addedAgain: again, finished });
    }
  };

  const work = async (worker: (typeof workers)[number]): Promise<void> => {
    for (let pauseMs = shortestPauseMs; !signal.aborted; ) {
      const isThere = await workOnce(worker).then(() => true, (error: unknown) => !note(error));
      if (!isThere) await wait(pauseMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      pauseMs = isThere ? shortestPauseMs : Math.min(2 * pauseMs, longestPauseMs);
    }
  };
  const working = Promise.all(workers.map(work));
  return {
    stop: async () => {
      stopping.abort();
      await working;
      await coordinate.close();
      return { handed, unanswered, errors };
    },
  };
}
