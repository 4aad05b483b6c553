import { expect, test } from 'vitest';
import { mergeTasks } from '../../src/database/merge-tasks.js';

const task = (key: string, payload: string, isLast = false) => ({ key, payloads: [payload], isLast, run: () => Promise.resolve() });

test('neighbours of one key are one task, those that are last in any case come last, and keep no others apart', () => {
  const tasks = [task('ends', '1', true), task('wake', 'a'), task('ends', '2', true), task('wake', 'b'), task('told', ''), task('other ends', '', true), task('wake', 'c'), task('ends', '3', true)];
  expect(mergeTasks(tasks).map(({ key, payloads }) => [key, payloads])).toEqual([
    ['wake', ['a', 'b']],
    ['told', ['']],
    ['wake', ['c']],
    ['ends', ['1', '2', '3']],
    ['other ends', ['']],
  ]);
});
