import { test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { runModel } from './run-model.js';

const database = await testDatabase();

test('PostgreSQL agrees with the reference', async () => {
  await runModel({ connect: (options) => database.connect(options), runs: 40, maxCommands: 60 });
}, 600_000);
