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

/** All that clients can call. Nothing else is ever called, whatever name is sent. */
export const methodTable: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['set_work_spec', setWorkSpec],
  ['get_work_spec', getWorkSpec],
  ['list_work_specs', listWorkSpecs],
  ['del_work_spec', delWorkSpec],
  ['clear', clear],
  ['control_work_spec', controlWorkSpec],
  ['get_work_spec_meta', getWorkSpecMeta],

  ['add_work_units', addWorkUnits],
  ['get_work_units', getWorkUnits],
  ['get_work_unit_status', getWorkUnitStatus],
  ['count_work_units', countWorkUnits],
  ['prioritize_work_units', prioritizeWorkUnits],
  ['del_work_units', delWorkUnits],
  ['archive', archive],

  ['get_work', getWork],
  ['update_work_unit', updateWorkUnit],
  ['get_child_work_units', getChildWorkUnits],

  ['worker_heartbeat', workerHeartbeat],
  ['worker_unregister', workerUnregister],
  ['list_worker_modes', listWorkerModes],
  ['mode_counts', modeCountsMethod],
  ['worker_stats', workerStats],
  ['get_worker_info', getWorkerInfo],

  ['now', now],
  ['get_config', getConfig],

  ['lock', lock],
  ['locksome', lockSome],
  ['renew', renew],
  ['readlock', readLock],
  ['unlock', unlock],
  ['delete_namespace', deleteNamespace],
]);
