/** How long a lease holds unless it is said otherwise: 15 minutes. */
export const defaultLifetimeMs = 15 * 60_000;
