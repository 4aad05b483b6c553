import { expect, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { execArgv, handlers, kinds } from './isolated/running.js';
import { runWorker, untilCounts } from './running.js';

const database = await testDatabase();

test.each(kinds)('handlers in a %s answer, throw and are killed at their maximum run time, like any others', async (kind) => {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(kind);
  const isolated = { module: handlers, execArgv, kind, retry: { limit: 0 } };
  for (const name of ['echo', 'throws', 'endless']) await namespace.setWorkSpec({ name });
  await runWorker(database, {
    namespace: kind,
    handlers: {
      echo: isolated,
      throws: { ...isolated, exportName: 'throws' },
      endless: { ...isolated, exportName: 'computesForEver', maxRunMs: 3_000 },
    },
  });
  const [echo, throws, endless] = await Promise.all(['echo', 'throws', 'endless'].map((name) => namespace.workSpec(name)));
  const echoed = await echo!.addWorkUnit('unit', { a: 1 });
  const thrown = await throws!.addWorkUnit('unit', {});
  const killed = await endless!.addWorkUnit('unit', {});
  await untilCounts(echo!, { finished: 1 });
  expect(await echoed.data()).toMatchObject({ data: { a: 1 }, name: 'unit', workSpec: 'echo' });
  await untilCounts(throws!, { failed: 1 });
  expect(await thrown.data()).toHaveProperty('error.stack');
  await untilCounts(endless!, { failed: 1 });
  expect(await killed.data()).toMatchObject({ error: { code: 'RunTimeExceeded' } });
});

test('a module that cannot be found is named at once', async () => {
  await expect(runWorker(database, { namespace: 'wrong', handlers: { a: { module: './here.js', kind: 'thread' } } })).rejects.toMatchObject({
    code: 'InvalidArgument',
    details: { field: 'options.handlers.a.module' },
  });
});
