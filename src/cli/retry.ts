import type { Command } from 'commander';
import { addChangeAction, forEachUnit } from './change-units.js';
import type { CommandIo } from './command-io.js';
import { unlessGone } from './gone.js';

export function addRetryCommand(program: Command, io: CommandIo): void {
  const command = program.command('retry').description('make units that have failed (or others, with --status) available again');
  addChangeAction(
    command,
    {
      statuses: ['failed'],
      verb: ['makes', 'available again'],
      done: 'made available again',
      run: (job) => forEachUnit(job, (unit) => unlessGone(unit.clearActiveAttempt())),
    },
    io,
  );
}
