/** What a process that ends tells whoever has started it. A signal's is 128 and its number: 130 for Ctrl-C. */
export const exitCodes = {
  /** The command did what it says. */
  done: 0,
  /** It could not; standard error says why in one sentence. */
  failed: 1,
  /** The arguments were wrong: nothing was done. */
  misused: 2,
  /** `doctor` has found something, or `flow --dry-run` something to change. */
  found: 3,
} as const;
