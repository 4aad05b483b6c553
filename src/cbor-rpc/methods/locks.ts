import { describeKeyPath, encodeLabel, readKeyPaths } from '../locks/key-path.js';
import { PathLocks, type NotHeld } from '../locks/path-locks.js';
import { readBytes, readInteger, readOrNull } from '../values/read-value.js';
import { parameter, type Method } from './method.js';

/** Seconds: without a timeout, and the longest. */
const defaultSeconds = 60;
const mostSeconds = 1_000_000;

/** Locks all the keys, or none of them. */
export const lock: Method = {
  parameters: [parameter.locker, parameter.timeout, parameter.keys],
  run: async ({ namespace }, locker, timeout, keys) => {
    const refused = await new PathLocks(namespace).lockAll(readBytes(locker, 'locker_id'), readTimeout(timeout), readKeyPaths(keys));
    return refused === null ? [true, null] : [false, `${describeKeyPath(refused)} is not lockable`];
  },
};

/** Locks those keys that can be: each of them as it was sent, or nil. */
export const lockSome: Method = {
  parameters: [parameter.locker, parameter.timeout, parameter.keys],
  run: async ({ namespace }, locker, timeout, keys) => {
    const paths = readKeyPaths(keys);
    const verdicts = await new PathLocks(namespace).lockSome(readBytes(locker, 'locker_id'), readTimeout(timeout), paths);
    return [paths.map(({ given }, index) => (verdicts[index] === true ? given : null)), null];
  },
};

/** Holds keys for longer: all of them, or none. */
export const renew: Method = {
  parameters: [parameter.locker, parameter.timeout, parameter.keys],
  run: async ({ namespace }, locker, timeout, keys) => {
    const owner = readBytes(locker, 'locker_id');
    return verdict(await new PathLocks(namespace).keepOrDrop(owner, readTimeout(timeout), readKeyPaths(keys)));
  },
};

/** Gives keys back: all of them, or none. */
export const unlock: Method = {
  parameters: [parameter.locker, parameter.keys],
  run: async ({ namespace }, locker, keys) =>
    verdict(await new PathLocks(namespace).keepOrDrop(readBytes(locker, 'locker_id'), null, readKeyPaths(keys))),
};

/** Who holds each of the keys, exactly. */
export const readLock: Method = {
  parameters: [parameter.keys],
  run: async ({ namespace }, keys) => (await new PathLocks(namespace).holders(readKeyPaths(keys))).map(ownerText),
};

/** Drops all locks below a first label. */
export const deleteNamespace: Method = {
  parameters: [['namespace', 'label']],
  run: async ({ namespace }, label) => {
    await new PathLocks(namespace).dropBelow(encodeLabel(label));
    return 0;
  },
};

function readTimeout(timeout: unknown): number {
  const seconds = readOrNull(readInteger)(timeout, 'timeout') ?? 0;
  return seconds < 1 ? defaultSeconds : Math.min(seconds, mostSeconds);
}

function verdict(notHeld: NotHeld | null): [boolean, string | null] {
  if (notHeld === null) return [true, null];
  const path = describeKeyPath(notHeld.path);
  return [false, notHeld.holder === null ? `${path} is not held` : `${path} is held by ${ownerText(notHeld.holder)}`];
}

function ownerText(owner: Uint8Array | null): string | null {
  return owner === null ? null : Buffer.from(owner).toString('utf8');
}
