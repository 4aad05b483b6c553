import { expect, test } from 'vitest';
import { testDatabase } from '../../support/database.js';

const database = await testDatabase();

test('a namespace that has had as many work specs as it can says so, and goes on with those it has', async () => {
  const namespace = await (await database.connect()).namespace('full');
  await namespace.setWorkSpec({ name: 'first' });
  await database.query(`update ${database.schema}.namespace set last_spec_serial = 16777214`);
  const last = await namespace.setWorkSpec({ name: 'last' });
  await expect(namespace.setWorkSpec({ name: 'one too many' })).rejects.toMatchObject({
    code: 'InvalidArgument',
    message: expect.stringContaining('make it in another one') as string,
  });
  await last.addWorkUnit('a', {});
  await namespace.setWorkSpec({ name: 'last', priority: 1 });
  expect(await namespace.summarize()).toMatchObject([{ workSpec: 'last', status: 'available', count: 1 }]);
});
