import { registerConformance } from 'pg-coordinate/testing';
import { afterAll, describe, test } from 'vitest';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();

registerConformance({ describe, test, afterAll }, { connect: (options) => database.connect(options) });
