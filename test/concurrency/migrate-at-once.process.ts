/* Migrates. Run by migrate-at-once.test.ts. */
import { connect, migrate } from '../../src/index.js';
import type { Place } from './place.js';
import { serveTasks } from './serve-tasks.js';

const tasks = {
  /** Resolves when the tables are there and can be worked with. */
  async migrate({ url, schema, buckets }: Place & { buckets: number }): Promise<void> {
    await migrate(url, { schema, buckets });
    await using coordinate = await connect(url, { schema, buckets, migrate: true });
    await coordinate.namespace(`of ${process.pid}`);
  },
};

export type MigrateAtOnceTasks = typeof tasks;

serveTasks(tasks);
