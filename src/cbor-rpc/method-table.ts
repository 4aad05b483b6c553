import type { Role } from '../access/index.js';
import { addWorkUnits } from './methods/add-work-units.js';
import { getWork } from './methods/get-work.js';
import { deleteNamespace, lock, lockSome, readLock, renew, unlock } from './methods/locks.js';
import type { Method } from './methods/method.js';
import { getConfig, now } from './methods/server.js';
import { updateWorkUnit } from './methods/update-work-unit.js';
import {
  clear,
  controlWorkSpec,
  delWorkSpec,
  getWorkSpec,
  getWorkSpecMeta,
  listWorkSpecs,
  setWorkSpec,
} from './methods/work-specs.js';
import {
  archive,
  countWorkUnits,
  delWorkUnits,
  getWorkUnits,
  getWorkUnitStatus,
  prioritizeWorkUnits,
} from './methods/work-units.js';
import {
  getChildWorkUnits,
  getWorkerInfo,
  listWorkerModes,
  modeCountsMethod,
  workerHeartbeat,
  workerStats,
  workerUnregister,
} from './methods/workers.js';

/** A method, and the role that calling it needs. */
export interface TableEntry {
  readonly method: Method;
  readonly needs: Role;
}

const rows: readonly (readonly [name: string, method: Method, needs: Role])[] = [
  ['set_work_spec', setWorkSpec, 'produce'],
  ['get_work_spec', getWorkSpec, 'read'],
  ['list_work_specs', listWorkSpecs, 'read'],
  ['del_work_spec', delWorkSpec, 'admin'],
  ['clear', clear, 'admin'],
  ['control_work_spec', controlWorkSpec, 'produce'],
  ['get_work_spec_meta', getWorkSpecMeta, 'read'],

  ['add_work_units', addWorkUnits, 'produce'],
  ['get_work_units', getWorkUnits, 'read'],
  ['get_work_unit_status', getWorkUnitStatus, 'read'],
  ['count_work_units', countWorkUnits, 'read'],
  ['prioritize_work_units', prioritizeWorkUnits, 'produce'],
  ['del_work_units', delWorkUnits, 'admin'],
  ['archive', archive, 'read'],

  ['get_work', getWork, 'work'],
  ['update_work_unit', updateWorkUnit, 'work'],
  ['get_child_work_units', getChildWorkUnits, 'read'],

  ['worker_heartbeat', workerHeartbeat, 'work'],
  ['worker_unregister', workerUnregister, 'work'],
  ['list_worker_modes', listWorkerModes, 'read'],
  ['mode_counts', modeCountsMethod, 'read'],
  ['worker_stats', workerStats, 'read'],
  ['get_worker_info', getWorkerInfo, 'read'],

  ['now', now, 'read'],
  ['get_config', getConfig, 'read'],

  ['lock', lock, 'work'],
  ['locksome', lockSome, 'work'],
  ['renew', renew, 'work'],
  ['readlock', readLock, 'read'],
  ['unlock', unlock, 'work'],
  ['delete_namespace', deleteNamespace, 'admin'],
];

/** All that clients can call. Nothing else is ever called, whatever name is sent. */
export const methodTable: ReadonlyMap<string, TableEntry> = new Map(rows.map(([name, method, needs]) => [name, { method, needs }]));
