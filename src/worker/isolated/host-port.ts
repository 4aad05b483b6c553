import { parentPort, Worker } from 'node:worker_threads';
import { transferable, type FromHost, type ToHost } from './host-messages.js';

/** A host's end of the channel to the worker. */
export interface HostPort {
  send(message: FromHost): void;
  listen(take: (message: ToHost) => void): void;
}

/** Of the descriptors that process-channel.ts gives. */
const lifelineFd = 4;

/** The channel of the thread or process that this is. */
export function openHostPort(): HostPort {
  const port = parentPort;
  if (port !== null) {
    return {
      send: (message) => port.postMessage(...transferable(message)),
      listen: (take) => port.on('message', take),
    };
  }
  const watch = new Worker(new URL('./parent-watch.js', import.meta.url), { workerData: { fd: lifelineFd }, execArgv: [] });
  watch.unref();
  // In case the thread was slow to start, or could not be.
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  return {
    send: (message) => void process.send?.(message, () => undefined),
    listen: (take) => process.on('message', take),
  };
}
