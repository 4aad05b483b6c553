import { parseTemplate } from 'url-template';
import { expect, test } from 'vitest';
import { encodeName } from '../../../src/rest/wire/index.js';
import { serving } from './serving.js';

const { ask } = await serving();

/** As the Go client finds its way: every URL is a template, expanded and resolved against that of the object it stands in. */
async function follow(from: { url: string }, link: string, variables: Record<string, string | string[]> = {}): Promise<string> {
  const template = (from as unknown as Record<string, string>)[link];
  if (template === undefined) throw new Error(`${from.url} has no ${link}`);
  return new URL(parseTemplate(template).expand(variables), new URL(from.url, 'http://server')).pathname.concat(
    new URL(parseTemplate(template).expand(variables), 'http://server').search,
  );
}

test('a client that builds no path of its own gets everywhere', async () => {
  const get = async (path: string): Promise<any> => (await ask('GET', path)).json;
  const names = { namespace: 'a namespace', spec: 'spec:1', unit: '..', worker: '-' };
  const root = await get('/');
  const namespace = await get(await follow(root, 'namespace_url', { namespace: encodeName(names.namespace) }));
  expect(namespace.name).toBe(names.namespace);

  await ask('POST', await follow(namespace, 'work_specs_url'), { body: { data: { name: names.spec } } });
  const spec = await get(await follow(namespace, 'work_spec_url', { spec: encodeName(names.spec) }));
  expect(spec.data.name).toBe(names.spec);
  expect((await get(await follow(spec, 'meta', { counts: '1' }))).weight).toBe(20);
  expect(await get(await follow(spec, 'meta'))).toHaveProperty('available_count', 0);

  for (const name of [names.unit, 'b c', 'd']) await ask('POST', await follow(spec, 'work_units_url'), { body: { name, data: {} } });
  const unit = await get(await follow(spec, 'work_unit_url', { unit: encodeName(names.unit) }));
  expect(unit.name).toBe(names.unit);
  const found = await get(await follow(spec, 'work_unit_query_url', { name: ['b c', 'd', 'x'], status: ['available'], previous: encodeName('b'), limit: '1' }));
  expect(found.work_units.map(({ name }: { name: string }) => name)).toEqual(['b c']);
  await ask('POST', await follow(spec, 'work_unit_change_url', { name: names.unit }), { body: { meta: { priority: 5 } } });

  const worker = await get(await follow(namespace, 'worker_url', { worker: encodeName(names.worker) }));
  expect(worker.name).toBe(names.worker);
  const { json: answer } = await ask('POST', await follow(worker, 'request_attempts_url'), { body: { number_of_work_units: 1 } });
  expect(answer.work_spec_url).toBe(spec.url);
  const [attempt] = answer.attempts;
  expect([attempt.work_unit_url, attempt.worker_url]).toEqual([unit.url, worker.url]);
  expect((await ask('POST', await follow(attempt, 'renew_url'), { body: { extend_duration: 1e9 } })).status).toBe(204);
  expect((await ask('POST', await follow(attempt, 'finish_url'), { body: {} })).status).toBe(204);
  expect((await get(await follow(unit, 'attempts_url'))).attempts).toMatchObject([{ url: attempt.url }]);
  expect(await get(await follow(spec, 'work_unit_counts_url'))).toEqual({ finished: 1, available: 2 });
  expect((await get(await follow(worker, 'all_attempts_url'))).attempts).toHaveLength(1);
});
