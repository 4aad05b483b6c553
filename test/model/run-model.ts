import fc from 'fast-check';
import type { Command } from './command.js';
import { sequences } from './commands/index.js';
import { execute, type ExecuteOptions, type Execution } from './execute.js';

export type { ModelConnection } from './execute.js';

export interface ModelOptions extends Pick<ExecuteOptions, 'connect'> {
  /** How many sequences. */
  readonly runs: number;
  /** The length of the longest. */
  readonly maxCommands: number;
  /** Replays the sequences of an earlier run; with `path`, as printed by a failure, just the one that failed. */
  readonly seed?: number;
  readonly path?: string;
  /** Compare the complete state after every so many commands. @default 1 */
  readonly observeEvery?: number;
  /**
   * Whether objects are also used after they were deleted and others made under their names. Over a protocol that knows objects by
   * their names only, the old ones are as good as the new. @default true
   */
  readonly staleHandles?: boolean;
  /** How long to look for a shorter sequence that fails as well. @default 30000 */
  readonly shrinkMs?: number;
}

/**
 * Runs random sequences of operations on an implementation and on the reference, side by side. Rejects with the shortest failing
 * sequence found, as lines of code with the reference's results. `connect` is called once for each sequence; whatever namespaces
 * it finds there are destroyed first, and the connection is closed afterwards.
 */
export async function runModel(options: ModelOptions): Promise<void> {
  const { runs, maxCommands, seed, path, observeEvery = 1, staleHandles = true, shrinkMs = 30_000 } = options;
  let shortest: Execution | null = null;
  let stopShrinking = Number.POSITIVE_INFINITY;

  const agrees = async (sequence: readonly Command[]) => {
    // Once the time is up every shorter sequence counts as a good one, which ends the shrinking.
    if (Date.now() > stopShrinking) return;
    const execution = await execute(sequence, { connect: options.connect, observeEvery });
    if (execution.mismatch === null) return;
    stopShrinking = Math.min(stopShrinking, Date.now() + shrinkMs);
    shortest = execution;
    throw new Error(execution.mismatch);
  };
  const parameters = { numRuns: runs, ...(seed === undefined ? {} : { seed }), ...(path === undefined ? {} : { path }) };
  const details = await fc.check(fc.asyncProperty(sequences(maxCommands, staleHandles), agrees), parameters);
  if (!details.failed) return;
  if (shortest === null) {
    throw new Error(`The model could not be run: ${String(details.errorInstance)}`, { cause: details.errorInstance });
  }
  throw new Error(report(shortest, details.seed, details.counterexamplePath));
}

function report({ lines, mismatch }: Execution, seed: number, path: string | null): string {
  const program = lines.map((line) => `  ${line}`).join('\n');
  return `The implementation differs from the reference.\n\n${program}\n\n  ${mismatch ?? ''}\n\nReplay with { seed: ${seed}, path: '${path ?? ''}' }`;
}
