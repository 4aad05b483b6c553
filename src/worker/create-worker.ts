import { checkWorkerOptions, type WorkerOptions } from './worker-options.js';
import { WorkerRuntime } from './worker-runtime.js';

/**
 * Makes a worker: it claims units of the work specs it has handlers for, runs the handlers, renews leases, and reports. It begins
 * with `start()`. Raises InvalidArgument.
 *
 * The type argument says what the units' data are, and what handlers may return:
 *
 * @example
 * interface Jobs {
 *   thumbnails: { width: number };
 * }
 * await using worker = createWorker<Jobs>({
 *   coordinate,
 *   namespace: 'shop',
 *   handlers: {
 *     thumbnails: async ({ data, name, signal }) => ({ path: await shrink(name, data.width, signal) }),
 *   },
 * });
 * await worker.start();
 * await worker.ended;
 */
export function createWorker<Jobs>(options: WorkerOptions<Jobs>): WorkerRuntime {
  return new WorkerRuntime(checkWorkerOptions(options));
}
