import { test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { chosenSeed } from './chosen-seed.js';
import { runModel } from './run-model.js';

const database = await testDatabase();

/** `MODEL_SEED=random MODEL_RUNS=1000 npx vitest run test/model` looks for more. */
const { MODEL_RUNS: runs = '40' } = process.env;

test('PostgreSQL agrees with the reference', async () => {
  await runModel({
    connect: (options) => database.connect(options),
    runs: Number(runs),
    maxCommands: 60,
    ...chosenSeed(),
  });
}, 3_600_000);
