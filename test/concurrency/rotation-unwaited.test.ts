import pg from 'pg';
import { expect, test } from 'vitest';
import { connect } from 'pg-coordinate';
import { ReadyRotation } from '../../src/core/work-unit/ready-rotation.js';
import { startEmbeddedPostgres } from '../../src/database/embedded/index.js';

test('a rotation does not keep the claim gate closed until the disk has it', async () => {
  // There is no such standby: a commit that waits for the disk waits for it as well, for ever. By default those here do not.
  const settings = { synchronous_standby_names: 'nobody', synchronous_commit: 'local' };
  await using server = await startEmbeddedPostgres({ settings });
  const setUp = await connect(server.url, { migrate: true });
  const { bucket } = await setUp.namespace('rotation');
  await using admin = await clientOf(server.url);
  await admin.client.query(`select setval('${bucket.schema}.attempt_number', 5000)`);
  await setUp.close();

  const url = new URL(server.url);
  url.searchParams.set('options', '-csynchronous_commit=on');
  const coordinate = await connect(url.href);
  const rotation = new ReadyRotation((await coordinate.namespace('rotation')).bucket);
  rotation.claimed(1);
  rotation.claimed(5_000);
  await rotation.stop();
  const { rows } = await admin.client.query(`select last_value::int as closed from ${bucket.schema}.ready_closed`);
  expect(rows).toEqual([{ closed: 1 }]);
  await coordinate.close();
});

async function clientOf(connectionString: string): Promise<AsyncDisposable & { readonly client: pg.Client }> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  return { client, [Symbol.asyncDispose]: () => client.end() };
}
