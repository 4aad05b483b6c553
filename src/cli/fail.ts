import { hostname } from 'node:os';
import type { Command } from 'commander';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
import type { Worker } from '../core/worker/worker.js';
import { NotPendingError } from '../errors/index.js';
import { addChangeAction, forEachUnit, type ChangeOptions } from './change-units.js';
import type { CommandIo } from './command-io.js';
import { unlessGone } from './gone.js';

interface FailOptions extends ChangeOptions {
  readonly reason: string;
}

/** Long enough for the statement that ends the attempt. */
const leaseMs = 60_000;

export function addFailCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('fail')
    .description('declare units failed, whether they wait or run (then their workers are told)')
    .option('--reason <text>', 'what the history is told', 'declared failed from the command line');
  addChangeAction<FailOptions>(
    command,
    {
      statuses: ['available', 'delayed', 'pending'],
      verb: ['declares', 'failed'],
      done: 'declared failed',
      run: async (job) => {
        const worker = await job.namespace.worker(`pg-coordinate fail ${hostname()}:${process.pid}`);
        try {
          return await forEachUnit(job, (unit) => unlessGone(failUnit(unit, worker, job.options.reason)));
        } finally {
          await worker.deactivate();
        }
      },
    },
    io,
  );
}

/** A running unit is cancelled; any other gets an attempt that fails at once. */
async function failUnit(unit: WorkUnit, worker: Worker, reason: string): Promise<boolean> {
  if (await unit.cancel(reason)) return true;
  const data = await unit.data();
  const attempt = await worker.makeAttempt(unit, leaseMs);
  try {
    await attempt.fail({ ...data, error: { name: 'DeclaredFailed', message: reason } });
    return true;
  } catch (error) {
    // Somebody else was quicker.
    if (error instanceof NotPendingError) return false;
    throw error;
  }
}
