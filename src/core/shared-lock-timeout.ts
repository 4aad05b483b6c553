/**
 * How long a statement for several calls waits for a lock. Longer, and a unit that somebody has locked would keep all the others from being
 * dealt with; and a caller whose transaction holds one of them and wants another would be in a deadlock that no call for itself can make.
 * Well below PostgreSQL's deadlock_timeout of 1 s, so that it does not come to one.
 */
export const sharedLockTimeout = '50ms';
