/* A worker that the test kills. Run by killed-hosts.test.ts. */
import { IsolatedRunner, type IsolatedHandler } from '../../../src/worker/isolated/index.js';
import { serveTasks, tell } from '../../concurrency/serve-tasks.js';

const make = (kind: IsolatedHandler['kind'], exportName: string): IsolatedRunner =>
  new IsolatedRunner(
    // Compiled as this program is.
    { module: new URL('handlers.js', import.meta.url), kind, exportName },
    { concurrency: 1, logger: { warn: () => undefined, error: () => undefined } },
  );

const job = { workSpec: '', name: '', key: new Uint8Array(), number: 1, data: {} };
const options = {
  signal: new AbortController().signal,
  runMs: Number.POSITIVE_INFINITY,
  onProgress: async () => undefined,
  onLog: (_level: string, _message: string, details?: object) => tell({ ...details }),
};

const tasks = {
  /** Runs a handler in a process, and tells what it says of its process. */
  async run({ exportName }: { exportName: string }): Promise<void> {
    tell(await make('process', exportName).run(job, options));
  },

  /** Leaves nothing but an idle host behind: this process is to end by itself. */
  async runAndEnd({ kind }: { kind: IsolatedHandler['kind'] }): Promise<void> {
    await make(kind, 'where').run(job, options);
    process.disconnect();
  },
};

export type ParentTasks = typeof tasks;
serveTasks(tasks);
