import type { Command } from 'commander';
import { workUnitStatuses } from '../core/work-unit/work-unit-status.js';
import { addChangeAction, type ChangeJob } from './change-units.js';
import type { CommandIo } from './command-io.js';

/** So many at a time: then the bar moves, and Ctrl-C is heard. */
const batchSize = 10_000;

export function addDeleteCommand(program: Command, io: CommandIo): void {
  const command = program.command('delete').description('delete units, with their history');
  addChangeAction(command, { statuses: workUnitStatuses, verb: ['removes', 'and their history'], done: 'deleted', run: deleteUnits }, io);
}

async function deleteUnits({ spec, selection: { query, count }, io, progress }: ChangeJob<unknown>): Promise<number> {
  let deleted = 0;
  // Those that were added meanwhile are not meant.
  while (deleted < count) {
    io.signal.throwIfAborted();
    const limit = Math.min(count - deleted, batchSize);
    const some = await spec.deleteWorkUnits({ ...query, limit });
    if (some === 0) break;
    deleted += some;
    progress.advance(some);
  }
  return deleted;
}
