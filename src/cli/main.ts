#!/usr/bin/env node
import { processIo } from './command-io.js';
import { InterruptedError } from './interrupted-error.js';
import { runProgram } from './run-program.js';

const interruption = new AbortController();
const [command] = process.argv.slice(2);
// A daemon is told by a hang-up to read its files again.
for (const signal of command === 'serve' ? (['SIGINT', 'SIGTERM'] as const) : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const)) {
  process.on(signal, () => {
    const error = new InterruptedError(signal);
    // Whoever asks a second time does not want to wait for a tidy end.
    if (interruption.signal.aborted) process.exit(error.exitCode);
    interruption.abort(error);
  });
}

const exitCode = await runProgram(process.argv.slice(2), processIo(interruption.signal));
// Neither a standard input that nobody ends nor what a module of handlers has left open keeps the process.
process.stdout.write('', () => process.exit(exitCode));
