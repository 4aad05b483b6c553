import { childWork } from '../statements/child-work.js';
import { countWorkers, modeCounts, workerModes } from '../statements/live-workers.js';
import { serverTime } from '../statements/server-time.js';
import { readDictionary, readInteger, readOrNull, readText } from '../values/read-value.js';
import { parameter, type Method } from './method.js';

/** The units that the children of a worker have, by child; a child without any has an empty list. */
export const getChildWorkUnits: Method = {
  parameters: [parameter.worker],
  run: async ({ namespace, maxBytes }, workerId) => {
    const children = await childWork(namespace, readText(workerId, 'worker_id'), maxBytes);
    const answer = [...children].map(([child, units]): [string, unknown] => [
      child,
      units.map(({ workSpec, key, data, worker, expiration }) => ({
        work_spec_name: workSpec,
        work_unit_key: key,
        work_unit_data: data,
        worker_id: worker,
        expires: Math.floor(expiration.getTime() / 1000),
      })),
    ]);
    return [Object.fromEntries(answer), null];
  },
};

/** A worker says that it is alive, and what it does. */
export const workerHeartbeat: Method = {
  parameters: [parameter.worker, ['mode'], ['expire_seconds'], ['data'], ['parent']],
  run: async ({ namespace }, workerId, mode, expireSeconds, data, parent) => {
    const name = readText(workerId, 'worker_id');
    const update = {
      mode: readOrNull(readText)(mode, 'mode') ?? '',
      data: readOrNull(readDictionary)(data, 'data'),
    };
    const seconds = readInteger(expireSeconds, 'expire_seconds');
    const parentName = readOrNull(readText)(parent, 'parent') ?? '';
    const now = await serverTime(namespace);
    const worker = await namespace.worker(name);
    await worker.update({ ...update, now, expiration: new Date(now.getTime() + seconds * 1000) });
    await worker.setParent(parentName === '' ? null : await namespace.worker(parentName));
    return [true, null];
  },
};

/** A worker says that it ends. */
export const workerUnregister: Method = {
  parameters: [parameter.worker],
  run: async ({ namespace }, workerId) => {
    await (await namespace.worker(readText(workerId, 'worker_id'))).deactivate();
    return [true, null];
  },
};

/** The mode of each worker that is alive. */
export const listWorkerModes: Method = {
  parameters: [],
  run: async ({ namespace }) => [Object.fromEntries(await workerModes(namespace)), null],
};

/** How many workers that are alive are in each mode. */
export const modeCountsMethod: Method = {
  parameters: [],
  run: async ({ namespace }) => [Object.fromEntries(await modeCounts(namespace)), null],
};

/** How many workers are alive. Each of them ends by itself, some time after its last heartbeat. */
export const workerStats: Method = {
  parameters: [],
  run: async ({ namespace }) => {
    const { workers, children } = await countWorkers(namespace);
    return { num_workers: workers, num_children: children, num_expirable: workers };
  },
};

/** What a worker's last heartbeat has said; nil when there was none. */
export const getWorkerInfo: Method = {
  parameters: [parameter.worker],
  run: async ({ namespace }, workerId) => {
    const name = readText(workerId, 'worker_id');
    const [first] = await namespace.workers({ start: name, limit: 1 });
    return [first?.name === name ? (await first.read()).data : null, null];
  },
};
