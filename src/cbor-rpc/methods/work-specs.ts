import { isUtf8 } from 'node:buffer';
import { CborFloat, type DataDictionary } from '../../codec/index.js';
import type { WorkSpecMeta } from '../../core/work-spec/work-spec-meta.js';
import { NoSuchWorkSpecError } from '../../errors/index.js';
import { maxDurationMs } from '../../options/index.js';
import { listSpecData } from '../statements/list-spec-data.js';
import { readOptions } from '../values/read-options.js';
import { readBoolean, readDictionary, readInteger, readNumber, readText } from '../values/read-value.js';
import { specStatusCode } from '../values/status-code.js';
import { parameter, type Method } from './method.js';

/** Creates or replaces a work spec. */
export const setWorkSpec: Method = {
  parameters: [['work_spec', 'spec']],
  run: async ({ namespace }, spec) => {
    await namespace.setWorkSpec(withTexts(readDictionary(spec, 'work_spec')));
    return [true, null];
  },
};

/** The definition, or nil when there is none. */
export const getWorkSpec: Method = {
  parameters: [parameter.spec],
  run: async ({ namespace }, name) => {
    try {
      return withNativeStrings(await (await namespace.workSpec(readText(name, 'work_spec_name'))).data());
    } catch (error) {
      if (error instanceof NoSuchWorkSpecError) return null;
      throw error;
    }
  },
};

/** Definitions ordered by name, and the name to go on with. */
export const listWorkSpecs: Method = {
  parameters: [parameter.options],
  run: async ({ namespace, maxBytes }, options) => {
    const { start = '', limit } = readOptions(options, { start: readText, limit: readInteger });
    const most = limit === undefined ? undefined : Math.max(0, limit);
    const { definitions, next } = await listSpecData(namespace, { start, limit: most, maxBytes });
    return [definitions.map(withNativeStrings), next];
  },
};

/** Deletes a work spec with its units. */
export const delWorkSpec: Method = {
  parameters: [parameter.spec],
  withoutSpec: false,
  run: async ({ namespace }, name) => {
    await namespace.destroyWorkSpec(readText(name, 'work_spec_name'));
    return [true, null];
  },
};

/** Deletes all work specs with their units; workers and locks stay. How many there were. */
export const clear: Method = {
  parameters: [],
  run: async ({ namespace }) => {
    let cleared = 0;
    for (const name of await namespace.workSpecNames()) {
      try {
        await namespace.destroyWorkSpec(name);
        cleared++;
      } catch (error) {
        // Somebody else was faster.
        if (!(error instanceof NoSuchWorkSpecError)) throw error;
      }
    }
    return cleared;
  },
};

/** Changes what the scheduler reads, as far as it is given. */
export const controlWorkSpec: Method = {
  parameters: [parameter.spec, parameter.options],
  withoutSpec: false,
  run: async ({ namespace }, name, options) => {
    const { continuous, status, weight, interval, max_running } = readOptions(options, {
      continuous: readBoolean,
      status: readInteger,
      weight: readInteger,
      interval: readNumber,
      max_running: readInteger,
    });
    const change: Partial<WorkSpecMeta> = {
      ...(continuous !== undefined && { continuous }),
      ...(status !== undefined && { paused: status === specStatusCode.paused }),
      ...(weight !== undefined && { weight }),
      ...(interval !== undefined && { intervalMs: Math.min(Math.max(0, Math.trunc(interval) * 1000), maxDurationMs) }),
      ...(max_running !== undefined && { maxRunning: Math.max(0, max_running) }),
    };
    await (await namespace.workSpec(readText(name, 'work_spec_name'))).setMeta(change);
    return [true, null];
  },
};

/** What control_work_spec changes. */
export const getWorkSpecMeta: Method = {
  parameters: [parameter.spec],
  withoutSpec: null,
  run: async ({ namespace }, name) => {
    const meta = await (await namespace.workSpec(readText(name, 'work_spec_name'))).meta();
    const answer = {
      status: meta.paused ? specStatusCode.paused : specStatusCode.runnable,
      continuous: meta.continuous,
      interval: new CborFloat(meta.intervalMs / 1000),
      max_running: meta.maxRunning,
      weight: Math.trunc(meta.weight),
    };
    return [answer, null];
  },
};

/** A definition whose top-level byte strings are texts, such as the name that a program on Python 2 gives. */
function withTexts(spec: DataDictionary): DataDictionary {
  return mapMembers(spec, (_, member) =>
    member instanceof Uint8Array && isUtf8(member) ? Buffer.from(member).toString('utf8') : member,
  );
}

/** A definition whose names of Python objects are byte strings: what Python 2 imports must be a native string. */
function withNativeStrings(spec: DataDictionary): DataDictionary {
  return mapMembers(spec, (key, member) =>
    (key === 'module' || key === 'run_function') && typeof member === 'string' ? Buffer.from(member) : member,
  );
}

function mapMembers(dictionary: DataDictionary, map: (key: string, member: unknown) => unknown): DataDictionary {
  return Object.fromEntries(Object.entries(dictionary).map(([key, member]) => [key, map(key, member)]));
}
