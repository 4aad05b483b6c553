// @ts-check
/*
 * The program of a thread in a host process: kills the process, and what that has started, when the worker's process has ended in
 * whatever way, kill -9 included. It must be a thread, as a handler that computes never gives way to the main thread's events; and a
 * pipe, as its end is noticed at once.
 */
import { Socket } from 'node:net';
import { workerData } from 'node:worker_threads';

const { fd } = /** @type {{ fd: number }} */ (workerData);

function end() {
  try {
    // The process's group. There are none on Windows, and the host may have been started without.
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.kill(process.pid, 'SIGKILL');
  }
}

const lifeline = new Socket({ fd, readable: true, writable: false });
lifeline.on('error', () => undefined).once('close', end);
lifeline.resume();
