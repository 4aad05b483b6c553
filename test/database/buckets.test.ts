import { randomUUID } from 'node:crypto';
import { connect, CoordinateError, drop } from 'pg-coordinate';
import { afterAll, describe, expect, inject, test } from 'vitest';
import { chooseBucket } from '../../src/core/namespace/choose-bucket.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();
const url = inject('databaseUrl');
const schema = `buckets_${randomUUID().slice(0, 8)}`;
afterAll(() => drop(url, { schema }));
const names = ['', 'acme', 'my-org', 'tenant1', 'tenant2', 'tenant3', 'ünïcode', 'o63'];

describe('three buckets', () => {
  test('are three sets of tables, over which namespaces are spread', async () => {
    await using coordinate = await connect(url, { schema, buckets: 3, migrate: true });
    for (const name of names) {
      const spec = await (await coordinate.namespace(name)).setWorkSpec({ name: `spec of ${name}` });
      await spec.addWorkUnits([{ name: 'unit', data: { of: name } }]);
    }
    const rows = await database.query<{ name: Buffer; bucket: number }>(`select name, bucket from ${schema}.namespace`);
    expect(Object.fromEntries(rows.map(({ name, bucket }) => [name.toString(), bucket]))).toEqual(
      Object.fromEntries(names.map((name) => [name, chooseBucket(name, 3)])),
    );
    expect(new Set(rows.map(({ bucket }) => bucket)), 'buckets in use').toEqual(new Set([1, 2, 3]));
    expect(await database.query(`select number from ${schema}.bucket order by number`)).toEqual([1, 2, 3].map((number) => ({ number })));

    for (const number of [1, 2, 3]) {
      const specs = await database.query<{ name: Buffer }>(`select name from ${schema}_bucket_${number}.work_spec`);
      const expected = names.filter((name) => chooseBucket(name, 3) === number).map((name) => `spec of ${name}`);
      expect(specs.map(({ name }) => name.toString()).toSorted()).toEqual(expected.toSorted());
    }
  });

  test('are one queue: they are listed and summarized together', async () => {
    await using coordinate = await connect(url, { schema, buckets: 3 });
    const inOrder = names.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect((await coordinate.namespaces()).map(({ name }) => name)).toEqual(inOrder);
    expect(await coordinate.summarize()).toEqual(
      inOrder.map((namespace) => ({ namespace, workSpec: `spec of ${namespace}`, status: 'available', count: 1 })),
    );
  });

  test('work each for itself', async () => {
    await using coordinate = await connect(url, { schema, buckets: 3 });
    for (const name of names) {
      const worker = await (await coordinate.namespace(name)).worker('worker');
      const attempts = await worker.requestAttempts({ numberOfWorkUnits: 100 });
      expect(attempts.map(({ data }) => data)).toEqual([{ of: name }]);
      await worker.namespace.finishAll(attempts.map((attempt) => ({ attempt })));
    }
    expect((await coordinate.summarize()).map(({ status, count }) => ({ status, count }))).toEqual(
      names.map(() => ({ status: 'finished', count: 1 })),
    );
  });

  test('stay where they are for a connection that knows of fewer, which puts new namespaces into those', async () => {
    await using coordinate = await connect(url, { schema, buckets: 1 });
    for (const name of names) {
      expect(await (await coordinate.namespace(name)).workSpecNames()).toEqual([`spec of ${name}`]);
    }
    await coordinate.namespace('newcomer');
    expect(await database.query(`select bucket from ${schema}.namespace where name = 'newcomer'`)).toEqual([{ bucket: 1 }]);
    await (await coordinate.namespace('newcomer')).destroy();
  });

  test('keep attempts apart: those of two buckets cannot be reported together', async () => {
    await using coordinate = await connect(url, { schema, buckets: 3 });
    const [one, other] = ['', 'acme', 'my-org', 'tenant1'].filter((name, index, all) => chooseBucket(name, 3) !== chooseBucket(all[0]!, 3) || index === 0);
    const first = await coordinate.namespace(one!);
    const second = await coordinate.namespace(other!);
    const spec = await second.setWorkSpec({ name: 'apart' });
    const attempt = await (await second.worker('worker')).makeAttempt(await spec.addWorkUnit('unit', {}));
    await expect(first.finishAll([{ attempt }])).rejects.toBeInstanceOf(CoordinateError);
    expect((await attempt.read()).status).toBe('pending');
  });
});

