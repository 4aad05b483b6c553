#!/usr/bin/env node
import { runProgram } from './run-program.js';

// Whoever reads our output may have enough of it: `pg-coordinate summary | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

process.exitCode = await runProgram(process.argv.slice(2));
