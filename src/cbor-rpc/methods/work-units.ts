import type { PostgresWorkSpec } from '../../core/work-spec/postgres-work-spec.js';
import { listUnits, type UnitQuery } from '../../core/work-unit/list-units.js';
import { bytes } from '../../core/instant.js';
import { PythonTuple } from '../../codec/index.js';
import { maxNameBytes } from '../../options/index.js';
import { tooLarge } from '../refusal.js';
import { unitRecords, type UnitRecord } from '../statements/read-units.js';
import { readOptions } from '../values/read-options.js';
import { readBoolean, readBytes, readBytesList, readInteger, readNumber, readText } from '../values/read-value.js';
import { readStatuses, statusCode } from '../values/status-code.js';
import { parameter, type CallContext, type Method } from './method.js';

/** How many units are read in one statement. */
const pageSize = 1_000;

/** Keys and data of the units that match, ordered by key. */
export const getWorkUnits: Method = {
  parameters: [parameter.spec, parameter.options],
  withoutSpec: null,
  run: async (context, name, options) => {
    const { work_unit_keys, state, start, limit = pageSize } = readOptions(options, {
      work_unit_keys: readBytesList,
      state: readStatuses,
      start: readBytes,
      limit: readInteger,
    });
    const spec = await context.namespace.workSpec(readText(name, 'work_spec_name'));
    const query: UnitQuery =
      work_unit_keys === undefined
        ? { ...(state && { statuses: state }), ...(start && { previousName: start }), limit: Math.max(0, limit) }
        : { names: possibleKeys(work_unit_keys) };
    const units: PythonTuple[] = [];
    let left = context.maxBytes;
    for await (const page of pagesOf(context, spec, query)) {
      const records = await unitRecords(context.namespace, page, { maxBytes: left });
      // Counts the keys as well: a million units without any data are too many, too.
      left -= records.reduce((sum, { key }) => sum + key.length + 8, records.at(-1)?.sizeSoFar ?? 0);
      if (left < 0) throw tooLarge(context.maxBytes);
      units.push(...records.map(({ key, data }) => new PythonTuple([key, data ?? {}])));
    }
    return [units, null];
  },
};

/** What has become of each of some units, in the order of their keys; nil for one that there is not. */
export const getWorkUnitStatus: Method = {
  parameters: [parameter.spec, ['work_unit_keys', 'keys']],
  withoutSpec: null,
  run: async (context, name, keys) => {
    const asked = readBytesList(keys, 'work_unit_keys');
    const spec = await context.namespace.workSpec(readText(name, 'work_spec_name'));
    const found = new Map<string, { readonly status: object; readonly size: number }>();
    let left = context.maxBytes;
    const different = [...new Map(possibleKeys(asked).map((key) => [textOf(key), key])).values()];
    for await (const page of pagesOf(context, spec, { names: different })) {
      const records = await unitRecords(context.namespace, page, { ofFailedOnly: true, maxBytes: left });
      records.forEach((record, index) => {
        const size = record.sizeSoFar - (records[index - 1]?.sizeSoFar ?? 0);
        found.set(textOf(record.key), { status: statusOf(record), size });
      });
      left -= records.at(-1)?.sizeSoFar ?? 0;
    }
    const answers = asked.map((key) => found.get(textOf(key)));
    // The same key may be asked for a thousand times, and what it has is told each time.
    if (answers.reduce((sum, answer) => sum + (answer?.size ?? 0), 0) > context.maxBytes) throw tooLarge(context.maxBytes);
    return [answers.map((answer) => answer?.status ?? null), null];
  },
};

/** How many units have which status, without those that none has. */
export const countWorkUnits: Method = {
  parameters: [parameter.spec],
  withoutSpec: null,
  run: async ({ namespace }, name) => {
    const spec = await namespace.workSpec(readText(name, 'work_spec_name'));
    const { available = 0, delayed = 0, pending = 0, finished = 0, failed = 0 } = await spec.countWorkUnitStatus();
    const counts: [number, number][] = [
      [statusCode.available, available + delayed],
      [statusCode.pending, pending],
      [statusCode.finished, finished],
      [statusCode.failed, failed],
    ];
    return [new Map(counts.filter(([, count]) => count > 0)), null];
  },
};

/** Sets the priorities of some units, or changes them by an amount. */
export const prioritizeWorkUnits: Method = {
  parameters: [parameter.spec, parameter.options],
  withoutSpec: false,
  run: async ({ namespace }, name, options) => {
    const { work_unit_keys, priority, adjustment } = readOptions(options, {
      work_unit_keys: readBytesList,
      priority: readNumber,
      adjustment: readNumber,
    });
    const spec = await namespace.workSpec(readText(name, 'work_spec_name'));
    if (work_unit_keys === undefined) return [false, 'missing work_unit_keys'];
    const query = { names: possibleKeys(work_unit_keys) };
    if (priority !== undefined) await spec.setWorkUnitPriorities(query, priority);
    else if (adjustment !== undefined) await spec.adjustWorkUnitPriorities(query, adjustment);
    return [true, null];
  },
};

/** Deletes all units, or those of some keys and states; without either, none. How many there were. */
export const delWorkUnits: Method = {
  parameters: [parameter.spec, parameter.options],
  withoutSpec: 0,
  run: async ({ namespace }, name, options) => {
    const { all, work_unit_keys, state } = readOptions(options, {
      all: readBoolean,
      work_unit_keys: readBytesList,
      state: readStatuses,
    });
    const spec = await namespace.workSpec(readText(name, 'work_spec_name'));
    if (all === true) return [await spec.deleteWorkUnits(), null];
    if (work_unit_keys === undefined && state === undefined) return [0, null];
    const query = { ...(work_unit_keys && { names: possibleKeys(work_unit_keys) }), ...(state && { statuses: state }) };
    return [await spec.deleteWorkUnits(query), null];
  },
};

/** For old clients: finished units need no archive here. */
export const archive: Method = {
  parameters: [parameter.options],
  run: async (_, options) => {
    readOptions(options, {});
    return null;
  },
};

/** The ids of the units that match, a page at a time. */
async function* pagesOf(context: CallContext, spec: PostgresWorkSpec, query: UnitQuery): AsyncGenerator<number[]> {
  const names = query.names?.toSorted((a, b) => Buffer.compare(a, b));
  let left = query.limit ?? Number.POSITIVE_INFINITY;
  let previousName = query.previousName;
  for (let page = 0; left > 0; page++) {
    const limit = Math.min(left, pageSize);
    const asked = names?.slice(page * pageSize, (page + 1) * pageSize);
    if (asked?.length === 0) return;
    const { statuses } = query;
    const rows = await listUnits(
      context.namespace.bucket,
      spec.id,
      asked === undefined ? { limit, ...(statuses && { statuses }), ...(previousName && { previousName }) } : { names: asked },
      // A client that wants no more than one page is better served by what has not ended; one that wants all of them by name.
      { walk: page > 0 || left > pageSize },
    );
    yield rows.map(({ id }) => Number(id));
    left -= rows.length;
    previousName = bytes(rows.at(-1)?.name);
    if (asked === undefined && rows.length < limit) return;
  }
}

/** Without those that no unit can have. */
function possibleKeys(keys: readonly Uint8Array[]): Uint8Array[] {
  return keys.filter(({ length }) => length > 0 && length <= maxNameBytes);
}

function statusOf({ status, worker, expiration, data }: UnitRecord): object {
  const traceback = status === 'failed' && data !== null && Object.hasOwn(data, 'traceback') ? data.traceback : undefined;
  return {
    status: statusCode[status],
    ...(worker !== null && { worker_id: worker }),
    ...(status === 'pending' && expiration !== null && { expiration: Math.floor(expiration.getTime() / 1000) }),
    ...(traceback !== undefined && { traceback }),
  };
}

/** Different for different bytes. */
function textOf(key: Uint8Array): string {
  return Buffer.from(key).toString('latin1');
}
