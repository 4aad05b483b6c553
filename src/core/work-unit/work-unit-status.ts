/** Every status a work unit can have, derived from its active attempt and its notBefore. */
export const workUnitStatuses = ['available', 'delayed', 'pending', 'finished', 'failed'] as const;

/** See `workUnitStatuses`. */
export type WorkUnitStatus = (typeof workUnitStatuses)[number];
