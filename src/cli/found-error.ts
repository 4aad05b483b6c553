/** Ends the command with the exit code for having found something. What was found has been printed. */
export class FoundError extends Error {}
