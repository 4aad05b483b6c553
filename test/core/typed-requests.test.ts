import type { Attempt } from 'pg-coordinate';
import { expect, expectTypeOf, test } from 'vitest';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();

test('a request for work specs given as objects gets attempts with the type of their units', async () => {
  const namespace = await (await database.connect()).namespace('typed');
  const spec = await namespace.setWorkSpec<{ url: string }>({ name: 'fetch' });
  const other = await namespace.setWorkSpec({ name: 'other', priority: 9 });
  await spec.addWorkUnit('a', { url: 'https://a.example/' });
  await other.addWorkUnit('b', {});
  const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: 5, workSpecs: [spec] });
  expectTypeOf(attempts[0]!).toExtend<Attempt<{ url: string }>>();
  expectTypeOf(attempts[0]!.data.url).toBeString();
  expect(attempts.map(({ data, status }) => [data.url, status])).toEqual([['https://a.example/', 'pending']]);

  // @ts-expect-error a unit of another shape
  await expect(spec.addWorkUnit('c', { uri: 1 })).resolves.toBeDefined();
});
