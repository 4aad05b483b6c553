/** The command cannot be run like this. */
export class UsageError extends Error {}
