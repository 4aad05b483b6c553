/** This machine's own clock, for what is about this machine alone: never for what a queue decides. */
export const wallClock: { now(): Date } = Object.freeze({ now: () => new Date() });
