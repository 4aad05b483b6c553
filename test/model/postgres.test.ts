import { test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { runModel } from './run-model.js';

const database = await testDatabase();

/** The same sequences each time; `MODEL_SEED=random MODEL_RUNS=1000 npx vitest run test/model` looks for others. */
const { MODEL_SEED: seed = '20261120', MODEL_RUNS: runs = '40' } = process.env;

test('PostgreSQL agrees with the reference', async () => {
  await runModel({
    connect: (options) => database.connect(options),
    runs: Number(runs),
    maxCommands: 60,
    ...(seed !== 'random' && { seed: Number(seed) }),
  });
}, 3_600_000);
