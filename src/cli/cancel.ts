import type { Command } from 'commander';
import { addChangeAction, forEachUnit, type ChangeOptions } from './change-units.js';
import type { CommandIo } from './command-io.js';
import { unlessGone } from './gone.js';

interface CancelOptions extends ChangeOptions {
  readonly reason: string;
}

export function addCancelCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('cancel')
    .description('stop running units: their workers are told, and they fail')
    .option('--reason <text>', 'what the worker and the history are told', 'cancelled from the command line');
  addChangeAction<CancelOptions>(
    command,
    {
      statuses: ['pending'],
      verb: ['stops', ''],
      done: 'stopped',
      run: (job) => forEachUnit(job, (unit) => unlessGone(unit.cancel(job.options.reason))),
    },
    io,
  );
}
