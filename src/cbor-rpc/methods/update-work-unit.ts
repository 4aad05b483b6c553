import type { DataDictionary } from '../../codec/index.js';
import type { PostgresAttempt } from '../../core/attempt/postgres-attempt.js';
import type { PostgresWorkUnit } from '../../core/work-unit/postgres-work-unit.js';
import { LostLeaseError, NotPendingError } from '../../errors/index.js';
import { maxDurationMs } from '../../options/index.js';
import { Refusal } from '../refusal.js';
import { holdUnit } from '../statements/hold-unit.js';
import { readOptions } from '../values/read-options.js';
import { readBytes, readDictionary, readInteger, readText } from '../values/read-value.js';
import { statusCode } from '../values/status-code.js';
import { defaultLeaseSeconds } from './get-work.js';
import { parameter, type Method } from './method.js';

/** What a client wants to become of a unit. */
interface Update {
  /** A status code; undefined: as it is. */
  readonly status: number | undefined;
  readonly data: DataDictionary | undefined;
  readonly lifetimeMs: number;
  readonly worker: string;
}

/** The unit has changed since it was looked at: to be looked at again. */
const changed = Symbol('changed');

/** How often a unit may change between the look at it and the step. */
const mostLooks = 10;

/** Renews, gives back, finishes, fails or restarts a unit, as it is and as the client wants it. Whether anything has changed. */
export const updateWorkUnit: Method = {
  parameters: [parameter.spec, parameter.unit, parameter.options],
  withoutSpec: false,
  run: async ({ namespace }, name, key, options) => {
    const { lease_time = 0, status, data, worker_id = '' } = readOptions(options, {
      lease_time: readInteger,
      status: readInteger,
      data: readDictionary,
      worker_id: readText,
    });
    const lifetimeMs = Math.min((lease_time < 1 ? defaultLeaseSeconds : lease_time) * 1000, maxDurationMs);
    const update = { status: status === 0 ? undefined : status, data, lifetimeMs, worker: worker_id };
    const spec = await namespace.workSpec(readText(name, 'work_spec_name'));
    const unit = await spec.workUnit(readBytes(key, 'work_unit_key'));
    for (let look = 1; look <= mostLooks; look++) {
      const outcome = await step(unit, update);
      if (outcome !== changed) return [outcome, null];
    }
    throw new Refusal('the work unit kept changing; try again later');
  },
};

async function step(unit: PostgresWorkUnit, update: Update): Promise<boolean | typeof changed> {
  const attempt = await unit.activeAttempt();
  try {
    switch (attempt?.status) {
      case undefined:
        return await updateWaiting(unit, update);
      case 'finished':
        return await updateFinished(unit, update);
      case 'failed':
        return await updateFailed(unit, attempt, update);
      default:
        return await updatePending(attempt as PostgresAttempt, update);
    }
  } catch (error) {
    if (error instanceof NotPendingError || error instanceof LostLeaseError) return changed;
    throw error;
  }
}

/** Of a unit that nobody has. */
async function updateWaiting(unit: PostgresWorkUnit, update: Update): Promise<boolean | typeof changed> {
  const { status, data, lifetimeMs, worker } = update;
  switch (status) {
    case undefined:
    case statusCode.available:
      return data === undefined ? false : replaceData(unit, data);
    case statusCode.pending:
    case statusCode.finished:
    case statusCode.failed: {
      const holder = await unit.workSpec.namespace.worker(worker);
      return updatePending(await holder.makeAttempt(unit, lifetimeMs), update);
    }
    default:
      throw invalidStatus();
  }
}

async function updatePending(attempt: PostgresAttempt, { status, data, lifetimeMs }: Update): Promise<boolean> {
  switch (status) {
    case undefined:
    case statusCode.pending:
      await attempt.renew(lifetimeMs, data);
      return true;
    case statusCode.available:
      await attempt.expire(data);
      return true;
    case statusCode.finished:
      await attempt.finish(data);
      return true;
    case statusCode.failed:
      await attempt.fail(data);
      return true;
    default:
      throw invalidStatus();
  }
}

async function updateFinished(unit: PostgresWorkUnit, { status }: Update): Promise<boolean> {
  switch (status) {
    case undefined:
    case statusCode.finished:
    case statusCode.failed:
      return false;
    case statusCode.available:
      await unit.clearActiveAttempt();
      return true;
    default:
      throw new Refusal('update_work_unit cannot change finished unit');
  }
}

async function updateFailed(unit: PostgresWorkUnit, attempt: PostgresAttempt, { status, data }: Update): Promise<boolean> {
  switch (status) {
    case undefined:
    case statusCode.failed:
      return false;
    case statusCode.available:
      await unit.clearActiveAttempt();
      return true;
    case statusCode.finished:
      await attempt.finish(data);
      return true;
    default:
      throw new Refusal('update_work_unit cannot change failed unit');
  }
}

/** Replaces the unit's own data and keeps its meta, unless it has ended meanwhile: adding it anew would make it run again. */
async function replaceData(unit: PostgresWorkUnit, data: DataDictionary): Promise<true | typeof changed> {
  return unit.bucket.backend.database.transaction({}, async (transaction) => {
    const meta = await holdUnit(unit, transaction);
    if (meta === null) return changed;
    await unit.workSpec.addWorkUnit(unit.key, data, meta, { client: transaction });
    return true;
  });
}

function invalidStatus(): Refusal {
  return new Refusal('update_work_unit invalid status');
}
