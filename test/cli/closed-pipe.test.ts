import type { Namespace } from 'pg-coordinate';
import { describe, expect, test } from 'vitest';
import { transports, useBothTransports } from './both-transports.js';

const { on } = useBothTransports('much', fill);

/** More of everything than fits in a pipe. */
async function fill(namespace: Namespace): Promise<void> {
  const name = (index: number): string => `a name that takes its place ${'x'.repeat(100)} ${index}`;
  const letters = (index: number): string => Array.from(String(index), (digit) => 'abcdefghij'[Number(digit)]).join('');
  const jobs = await namespace.setWorkSpec({ name: 'jobs' });
  await jobs.addWorkUnits(Array.from({ length: 1_500 }, (_, index) => ({ name: name(index), data: { padding: 'x'.repeat(200) } })));
  const worker = await namespace.worker('worker');
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: 1_000 });
  await namespace.failAll(attempts.map((attempt, index) => ({ attempt, data: { error: { name: 'Error', message: `broken ${letters(index)}`, stack: 'x'.repeat(200) } } })));
  await Promise.all(Array.from({ length: 600 }, (_, index) => namespace.setWorkSpec({ name: name(index) })));
  await Promise.all(Array.from({ length: 600 }, (_, index) => namespace.worker(name(index))));
}

describe('whoever has read enough, as in `| head -1`, ends it quietly', () => {
  test.each([
    'specs --all',
    'units jobs --all',
    'units jobs --all --data --json',
    'units jobs --all --csv',
    'attempts --worker worker --all --data',
    'workers --all',
    'failed',
    'failed --json',
    'export',
    'show jobs',
    'summary --watch 1ms',
    'top --period 1ms',
    'completion bash',
    '--help',
  ])('%s', async (args) => {
    for (const result of await Promise.all(transports.map((transport) => on(transport, args.split(' '), { closeEarly: true })))) {
      expect(result).toMatchObject({ status: 0, errors: '' });
      expect(result.bytes.length).toBeGreaterThan(0);
    }
  });
});
