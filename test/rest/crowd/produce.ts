import { setTimeout as wait } from 'node:timers/promises';
import { CoordinateError, type DataDictionary } from 'pg-coordinate';
import { connectRest } from 'pg-coordinate/rest';
import { epochMs } from './epoch.js';

export interface ProduceSettings {
  /** The servers; producers take turns at choosing one. */
  readonly urls: readonly string[];
  readonly namespace: string;
  readonly workSpec: string;
  readonly producers: number;
  /** What the names of the units begin with. @default 'unit' */
  readonly prefix?: string;
  /** How many units to add, one in a request. */
  readonly units: number;
  /** How many in a second, all together; 0: as fast as they can. */
  readonly perSecond: number;
}

/** What came of it. */
export interface Produced {
  /** All names. */
  readonly units: readonly string[];
  /** Requests that no server was there to answer. */
  readonly unanswered: number;
}

const pauseMs = 50;

/** What a unit says of itself. */
export interface UnitData extends DataDictionary {
  /** When its producer first asked to add it, see `epochMs()`. */
  readonly at: number;
  /** Whether he had to ask again, as there was no answer. */
  readonly again: boolean;
}

/** Adds units over HTTP, each in a request of its own; the data of a unit say when it was asked for. Whatever becomes of the servers, each is added once. */
export async function produce({ urls, namespace, workSpec, producers, prefix = 'unit', units, perSecond }: ProduceSettings): Promise<Produced> {
  const names = Array.from({ length: units }, (_, index) => `${prefix}-${index}`);
  const queue = names.entries();
  const began = epochMs();
  let unanswered = 0;
  const run = async (_: unknown, index: number): Promise<void> => {
    const noteUnanswered = async (): Promise<void> => {
      unanswered++;
      await wait(pauseMs);
    };
    const coordinate = await untilAnswered(() => connectRest(urls[index % urls.length]!, { retries: 0 }), noteUnanswered);
    try {
      const spec = await untilAnswered(async () => (await coordinate.namespace(namespace)).workSpec<UnitData>(workSpec), noteUnanswered);
      for (const [number, name] of queue) {
        if (perSecond > 0) await wait(Math.max(0, began + (number * 1_000) / perSecond - epochMs()));
        const at = epochMs();
        // Whoever was not told whether it was added asks, before he adds it again: it may be finished by now, and would run again.
        for (let isSure = true; ; isSure = false) {
          try {
            if (isSure || !(await isThere(spec, name))) await spec.addWorkUnit(name, { at, again: !isSure });
            break;
          } catch (error) {
            if (!isUnanswered(error)) throw error;
            await noteUnanswered();
          }
        }
      }
    } finally {
      await coordinate.close();
    }
  };
  await Promise.all(Array.from({ length: producers }, run));
  return { units: names, unanswered };
}

/** For what may be done twice. */
async function untilAnswered<T>(work: () => Promise<T>, onUnanswered: () => Promise<void>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnanswered(error)) throw error;
      await onUnanswered();
    }
  }
}

async function isThere(spec: { workUnit(name: string): Promise<unknown> }, name: string): Promise<boolean> {
  return spec.workUnit(name).then(
    () => true,
    (error: unknown) => {
      if (error instanceof CoordinateError && error.code === 'NoSuchWorkUnit') return false;
      throw error;
    },
  );
}

function isUnanswered(error: unknown): boolean {
  return error instanceof CoordinateError && error.code === 'ServerUnreachable';
}
