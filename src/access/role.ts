/** What somebody may do in a namespace. */
export const roles = ['read', 'produce', 'work', 'admin'] as const;

/**
 * - `read`: look at everything.
 * - `produce`: define work specs, add and steer work units.
 * - `work`: ask for work and report on it.
 * - `admin`: delete, and all of the above.
 *
 * Whoever may do anything may read.
 */
export type Role = (typeof roles)[number];

const included: Readonly<Record<Role, readonly Role[]>> = {
  read: ['read'],
  produce: ['produce', 'read'],
  work: ['work', 'read'],
  admin: roles,
};

/** Whether one of the roles that somebody has allows what needs `needed`. */
export function allows(given: readonly Role[], needed: Role): boolean {
  return given.some((role) => included[role].includes(needed));
}
