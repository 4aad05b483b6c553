import { describe, expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { fuzz, ports } from './fuzz.js';

const database = await testDatabase();

/** More than a server that is only busy ever takes. */
const mostBytes = 600 * 2 ** 20;

describe('hostile bytes for a server in a process of its own', () => {
  test.each(ports)('%s: it goes on, answers are well-formed, and nothing stays open', async (port) => {
    const { answers, problems, during, conversations } = await fuzz(port, database, { seconds: 5, atLeast: 51, seed: 5_932, atOnce: 16 });
    expect(problems).toEqual([]);
    expect(conversations).toBeGreaterThan(50);
    expect(Object.keys(answers).length).toBeGreaterThan(1);
    expect(Math.max(...during.map(({ rss }) => rss))).toBeLessThan(mostBytes);
    expect(Math.max(...during.map(({ connections }) => connections))).toBeLessThanOrEqual(12);
  });
});
