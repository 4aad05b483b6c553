// @ts-check
/*
 * When leases are renewed: for the main thread and for the lease thread alike, so in plain JavaScript.
 */

/** How many leases one statement renews at most. */
export const mostTogether = 1_000;

/** The longest a timer can wait, in milliseconds. */
const longestTimerMs = 2 ** 31 - 1;

/**
 * How long after its last renewal a lease is due, in milliseconds. It is renewed at the next look, so when a third of it has passed at
 * the latest.
 *
 * @param {number} lifetimeMs
 */
export function dueAfterMs(lifetimeMs) {
  return lifetimeMs / 4;
}

/**
 * How long to wait until the next look for leases that are due, in milliseconds: varied, so that workers that were started together do
 * not renew together for ever.
 *
 * @param {number} lifetimeMs
 * @param {number} failures How often in a row renewing has failed: then the next try is sooner at first, and ever later.
 */
export function lookPauseMs(lifetimeMs, failures = 0) {
  const pauseMs = failures === 0 ? lifetimeMs / 12 : Math.min(lifetimeMs / 6, (lifetimeMs / 96) * 2 ** failures);
  return Math.min(longestTimerMs, pauseMs) * (0.5 + 0.5 * Math.random());
}
