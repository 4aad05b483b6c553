import { CborFloat } from '../../codec/index.js';
import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import type { NewWorkUnit } from '../../core/work-spec/work-spec.js';
import { BadPriorityError, WorkUnitNotListError, WorkUnitTooShortError } from '../../errors/index.js';
import { maxDurationMs } from '../../options/index.js';
import { serverTime } from '../statements/server-time.js';
import { readOptions } from '../values/read-options.js';
import { listItems, readBytes, readDictionary, readInteger, readList, readText } from '../values/read-value.js';
import { parameter, type Method } from './method.js';

/** A unit as a client describes it. */
interface UnitItem {
  readonly name: Uint8Array;
  readonly data: Readonly<Record<string, unknown>>;
  readonly priority: number;
  readonly delaySeconds: number;
}

/** Adds or replaces work units; all are checked before any is added. */
export const addWorkUnits: Method = {
  parameters: [parameter.spec, ['work_unit_key_vals', 'items']],
  withoutSpec: false,
  run: async ({ namespace }, name, items) => {
    const units = readList(items, 'work units').map((item, index) => readUnit(item, `work units[${index}]`));
    const spec = await namespace.workSpec(readText(name, 'work_spec_name'));
    await spec.addWorkUnits(await unitsToAdd(namespace, units));
    return [true, null];
  },
};

/** A key, or `(key, data, meta?, priority?)`. */
function readUnit(item: unknown, field: string): UnitItem {
  if (typeof item === 'string' || item instanceof Uint8Array) {
    return { name: readBytes(item, field), data: {}, priority: 0, delaySeconds: 0 };
  }
  const parts = listItems(item);
  if (parts === undefined) throw new WorkUnitNotListError();
  if (parts.length < 2) throw new WorkUnitTooShortError();
  const [key, data, meta = null, outranking = null] = parts;
  const { priority = 0, delay = 0 } = readOptions(meta, { priority: readPriority, delay: readInteger });
  return {
    name: readBytes(key, `${field} key`),
    data: data === null ? {} : readDictionary(data, `${field} data`),
    priority: outranking === null ? priority : readPriority(outranking),
    delaySeconds: delay,
  };
}

function readPriority(value: unknown): number {
  const priority = typeof value === 'bigint' || value instanceof CborFloat ? Number(value) : value;
  if (typeof priority !== 'number' || !Number.isFinite(priority)) throw new BadPriorityError();
  return priority;
}

/** Delays are counted from one moment, which only has to be found out if there are any. */
async function unitsToAdd(namespace: PostgresNamespace, units: readonly UnitItem[]): Promise<NewWorkUnit[]> {
  const now = units.some(({ delaySeconds }) => delaySeconds > 0) ? (await serverTime(namespace)).getTime() : 0;
  return units.map(({ name, data, priority, delaySeconds }) => {
    const notBefore = delaySeconds > 0 ? new Date(now + Math.min(delaySeconds * 1000, maxDurationMs)) : null;
    return { name, data, meta: { priority, notBefore } };
  });
}
