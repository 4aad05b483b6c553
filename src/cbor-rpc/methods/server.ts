import { Refusal } from '../refusal.js';
import { serverTime } from '../statements/server-time.js';
import type { Method } from './method.js';

/** Seconds since 1970 by the clock that the queue goes by. */
export const now: Method = {
  parameters: [],
  run: async ({ namespace }) => Math.floor((await serverTime(namespace)).getTime() / 1000),
};

/** The configuration that the server was given for its clients. */
export const getConfig: Method = {
  parameters: [],
  run: async ({ config }) => {
    if (config === undefined) throw new Refusal('no config to get');
    return [config, null];
  },
};
