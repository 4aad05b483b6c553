import { describe, expect, test } from 'vitest';
import { now, serving, v1 } from './serving.js';

const { ask, coordinate, clock } = await serving();
const zero = '0001-01-01T00:00:00Z';

describe('the root', () => {
  test('names all URLs that everything is found from', async () => {
    const { status, headers, json } = await ask('GET', '/');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe(v1);
    expect(json).toEqual({ url: '/', summary_url: '/summary', namespaces_url: '/namespace', namespace_url: '/namespace/{namespace}', namespace_events_url: '/namespace/{namespace}/events', time_url: '/time', openapi_url: '/openapi.json', docs_url: '/docs' });
  });

  test('has a summary, with the capitals of the protocol', async () => {
    const spec = await (await coordinate.namespace('summed')).setWorkSpec({ name: 's' });
    await spec.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }]);
    expect((await ask('GET', '/summary')).json).toContainEqual({ Namespace: 'summed', WorkSpec: 's', Status: 'available', Count: 2 });
    for (const path of ['/namespace/summed/summary', '/namespace/summed/work_spec/s/summary']) {
      expect((await ask('GET', path)).json).toEqual([{ Namespace: 'summed', WorkSpec: 's', Status: 'available', Count: 2 }]);
    }
  });
});

describe('a namespace', () => {
  const golden = {
    name: 'blue sky',
    url: '/namespace/-Ymx1ZSBza3k',
    summary_url: '/namespace/-Ymx1ZSBza3k/summary',
    work_specs_url: '/namespace/-Ymx1ZSBza3k/work_spec',
    work_spec_url: '/namespace/-Ymx1ZSBza3k/work_spec/{spec}',
    workers_url: '/namespace/-Ymx1ZSBza3k/worker',
    workers_query_url: '/namespace/-Ymx1ZSBza3k/worker{?start,limit,active}',
    worker_url: '/namespace/-Ymx1ZSBza3k/worker/{worker}',
    attempt_reports_url: '/namespace/-Ymx1ZSBza3k/attempt_reports',
    events_url: '/namespace/-Ymx1ZSBza3k/events',
    oldest_waiting_url: '/namespace/-Ymx1ZSBza3k/oldest_waiting',
  };

  test('is made by a POST, which says where it is', async () => {
    const { status, headers, json } = await ask('POST', '/namespace', { body: { name: 'blue sky' } });
    expect([status, headers.get('location')]).toEqual([201, golden.url]);
    expect(json).toEqual(golden);
  });

  test('is made by being named', async () => {
    expect((await ask('GET', '/namespace/-Ymx1ZSBza3k')).json).toEqual(golden);
    expect((await ask('GET', '/namespace/red')).json).toMatchObject({ name: 'red', url: '/namespace/red' });
    expect((await ask('GET', '/namespace/-')).json).toMatchObject({ name: '', url: '/namespace/-' });
    // As clients' template engines send it.
    expect((await ask('GET', '/namespace/a%3Ab')).json).toMatchObject({ name: 'a:b', url: '/namespace/a:b' });
  });

  test('is listed in order', async () => {
    const { json } = await ask('GET', '/namespace');
    const names = json.namespaces.map(({ name }: { name: string }) => name);
    expect(names).toEqual(expect.arrayContaining(['', 'a:b', 'blue sky', 'red']));
    expect(names).toEqual(names.toSorted());
    expect(json.namespaces).toContainEqual({ name: 'blue sky', url: golden.url });
  });

  test('is deleted, known or not', async () => {
    for (const name of ['red', 'never-seen']) {
      const { status, text } = await ask('DELETE', `/namespace/${name}`);
      expect([status, text]).toEqual([204, '']);
    }
    expect((await coordinate.namespaces()).map(({ name }) => name)).not.toContain('red');
  });

  test('may be called anything: what tidies paths never sees its name', async () => {
    for (const name of ['.', '..', '-', '/', 'ä', '\0', 'x'.repeat(1_000), '%', '?a=b']) {
      const { json } = await ask('POST', '/namespace', { body: { name } });
      expect((await ask('GET', json.url)).json.name).toBe(name);
    }
  });
});

describe('a work spec', () => {
  const S = '/namespace/specs/work_spec/s';

  test('is made, or replaced, by a POST of its data', async () => {
    const { status, headers, json } = await ask('POST', '/namespace/specs/work_spec', { body: { data: { name: 's', min_gb: 1, odd: [1, null] } } });
    expect([status, headers.get('location')]).toEqual([201, S]);
    expect(json).toEqual({ name: 's', url: S });
    expect((await ask('GET', '/namespace/specs/work_spec')).json).toEqual({ work_specs: [{ name: 's', url: S }] });
  });

  test('is shown with its data and URLs', async () => {
    const { json } = await ask('GET', S);
    const query = '{?name*,status*,previous,limit,key*}';
    expect(json).toEqual({
      name: 's',
      url: S,
      data: { name: 's', min_gb: 1, odd: [1, null] },
      summary_url: `${S}/summary`,
      meta: `${S}/meta{?counts}`,
      meta_change_url: `${S}/meta`,
      work_units_url: `${S}/work_unit`,
      work_unit_query_url: `${S}/work_unit${query}`,
      work_unit_url: `${S}/work_unit/{unit}`,
      work_unit_counts_url: `${S}/counts`,
      work_unit_change_url: `${S}/change${query}`,
      work_unit_adjust_url: `${S}/adjust${query}`,
      work_unit_batch_url: `${S}/work_units`,
      work_unit_read_url: `${S}/read{?name*,status*,previous,limit,key*,with*}`,
    });
  });

  test('has a meta record, whose counts are asked for', async () => {
    const golden = {
      priority: 0,
      weight: 20,
      paused: false,
      continuous: false,
      can_be_continuous: false,
      min_memory_gb: 1,
      interval: 0,
      next_continuous: zero,
      max_running: 0,
      max_attempts_returned: 0,
      max_retries: 0,
      next_work_spec_name: '',
      available_count: 0,
      pending_count: 0,
      runtime: '',
    };
    await ask('POST', `${S}/work_unit`, { body: { name: 'u' } });
    expect((await ask('GET', `${S}/meta`)).json).toEqual(golden);
    for (const yes of ['1', 't', 'Y', 'true', 'YES', 'on']) {
      expect((await ask('GET', `${S}/meta?counts=${yes}`)).json).toEqual({ ...golden, available_count: 1 });
    }
    expect((await ask('GET', `${S}/meta?counts=0`)).json).toEqual(golden);
    expect((await ask('GET', `${S}/counts`)).json).toEqual({ available: 1 });
  });

  test('has its meta replaced by a PUT: what is missing is zero', async () => {
    const body = { priority: 3, weight: 5, paused: true, continuous: true, interval: 1_500_000_000, next_continuous: '2030-01-01T00:00:00Z', max_running: 1, runtime: 'ignored', available_count: 99 };
    expect((await ask('PUT', `${S}/meta`, { body })).status).toBe(204);
    const spec = await (await coordinate.namespace('specs')).workSpec('s');
    expect(await spec.meta()).toMatchObject({
      priority: 3,
      weight: 5,
      paused: true,
      continuous: false,
      intervalMs: 1_500,
      nextContinuous: new Date('2030-01-01'),
      maxRunning: 1,
      minMemoryGb: 0,
      runtime: '',
      availableCount: 0,
    });
    await ask('PUT', `${S}/meta`, { body: {} });
    expect(await spec.meta()).toMatchObject({ priority: 0, weight: 0, paused: false, nextContinuous: null, maxRunning: 0 });
  });

  test('has part of its meta changed by a PATCH', async () => {
    expect((await ask('PATCH', `${S}/meta`, { body: { weight: 7, max_retries: 2.0 } })).status).toBe(204);
    await ask('PATCH', `${S}/meta`, { body: { priority: 1 } });
    expect((await ask('GET', `${S}/meta`)).json).toMatchObject({ weight: 7, max_retries: 2, priority: 1, paused: false });
  });

  test('is redefined by a PUT, which resets its meta; without data nothing happens', async () => {
    expect((await ask('PUT', S, { body: { data: { name: 's', weight: 2 } } })).status).toBe(204);
    expect((await ask('PUT', S, { body: { url: '', data: null } })).status).toBe(204);
    expect((await ask('GET', `${S}/meta`)).json).toMatchObject({ weight: 2, priority: 0 });
  });

  test('takes its data as the base64 of CBOR, and shows them so when it must', async () => {
    // {"name": "t", "key": ()}
    const data = 'omRuYW1lYXRja2V52ICA';
    await ask('POST', '/namespace/specs/work_spec', { body: { data } });
    expect((await ask('GET', '/namespace/specs/work_spec/t')).json.data).toBe(data);
  });

  test.each([
    [{ data: {} }, 400, 'ErrNoWorkSpecName', "No 'name' key in work spec"],
    [{ data: { name: 7 } }, 400, 'ErrBadWorkSpecName', "Work spec 'name' must be a string"],
    [{}, 400, 'error', 'Missing data'],
    [{ data: null }, 400, 'error', 'Missing data'],
    [{ data: 7 }, 400, 'error', 'The request cannot be understood: "data" must be an object, or the base64 of a CBOR map'],
    [{ data: 'x' }, 400, 'error', 'The request cannot be understood: "data" is a string, but not base64 with padding'],
    [{ data: 'oWFh' }, 400, 'error', expect.stringContaining('Cannot decode CBOR')],
  ])('cannot be made of %j', async (body, status, error, message) => {
    const answer = await ask('POST', '/namespace/specs/work_spec', { body });
    expect(answer.status).toBe(status);
    expect(answer.json).toMatchObject({ error, message });
  });

  test('keeps its name', async () => {
    const { status, json } = await ask('PUT', S, { body: { data: { name: 'other' } } });
    expect([status, json.error, json.message]).toEqual([409, 'ErrChangedName', "Cannot change work spec 'name'"]);
  });

  test('is deleted with its units', async () => {
    expect((await ask('DELETE', S)).status).toBe(204);
    const { status, json } = await ask('GET', `${S}/work_unit/u`);
    expect([status, json.error, json.value]).toEqual([404, 'ErrNoSuchWorkSpec', 's']);
    expect((await ask('DELETE', S)).status).toBe(404);
  });
});

describe('a worker', () => {
  const W = '/namespace/workers/worker/w';
  const golden = {
    name: 'w',
    url: W,
    active: true,
    mode: '',
    data: null,
    expiration: new Date(now.getTime() + 900_000).toISOString(),
    last_update: now.toISOString(),
    request_attempts_url: `${W}/request_attempts`,
    make_attempt_url: `${W}/make_attempt`,
    make_attempts_url: `${W}/make_attempts`,
    active_attempts_url: `${W}/active_attempts`,
    all_attempts_url: `${W}/all_attempts`,
    all_attempts_query_url: `${W}/all_attempts{?after,limit,full}`,
    child_attempts_url: `${W}/child_attempts`,
    active_attempts_query_url: `${W}/active_attempts{?full}`,
    child_attempts_query_url: `${W}/child_attempts{?full}`,
  };

  test('is made by being named', async () => {
    expect((await ask('GET', W)).json).toEqual(golden);
  });

  test('says how it is', async () => {
    const update = { active: true, data: { load: 1.5 }, mode: 'run', last_update: '2026-11-20T09:00:00Z', expiration: '2026-11-20T10:00:00Z' };
    expect((await ask('PUT', W, { body: update })).status).toBe(204);
    expect((await ask('GET', W)).json).toEqual({ ...golden, ...update, last_update: '2026-11-20T09:00:00.000Z', expiration: '2026-11-20T10:00:00.000Z' });
  });

  test('is given a parent as old clients do it, and stays active', async () => {
    const wholeStructure = { url: '', name: '', active: false, mode: '', data: null, expiration: zero, last_update: zero, request_attempts_url: '' };
    expect((await ask('PUT', W, { body: { ...wholeStructure, parent: 'boss' } })).status).toBe(204);
    expect((await ask('GET', W)).json).toMatchObject({ parent: 'boss', parent_url: '/namespace/workers/worker/boss', active: true, mode: 'run' });
    expect((await ask('GET', '/namespace/workers/worker/boss')).json).toMatchObject({ child_urls: [W], child_names: ['w'] });
    expect((await ask('PUT', W, { body: { ...wholeStructure, parent: '' } })).status).toBe(204);
    expect((await ask('GET', W)).json).not.toHaveProperty('parent');
  });

  test('is deactivated by a PUT without "active", or by one that has all and not that', async () => {
    await ask('PUT', W, { body: {} });
    expect((await ask('GET', W)).json).toMatchObject({ active: false, mode: 'run' });
    await ask('PUT', W, { body: { active: true } });
    const { json } = await ask('GET', W);
    expect(json).toMatchObject({ active: true, last_update: now.toISOString() });
    await ask('PUT', W, { body: { ...json, parent: 'boss', active: false } });
    expect((await ask('GET', W)).json).toMatchObject({ active: false, parent: 'boss' });
  });

  test('is listed, in pages', async () => {
    const names = async (query: string): Promise<string[]> =>
      (await ask('GET', `/namespace/workers/worker${query}`)).json.workers.map(({ name }: { name: string }) => name);
    expect(await names('')).toEqual(['boss', 'w']);
    expect(await names('?start=c')).toEqual(['w']);
    expect(await names('?limit=1')).toEqual(['boss']);
    expect(await names('?active=1')).toEqual(['boss']);
    expect((await ask('GET', '/namespace/workers/worker?limit=many')).status).toBe(400);
  });

  test.each([
    [{ active: 1 }, '"active" must be true or false'],
    [{ active: true, expiration: '' }, '"expiration" must be a time such as 2026-11-20T08:55:24Z'],
    [{ parent: 7 }, '"parent" must be a string'],
    [{ active: true, data: [] }, '"data" must be an object, or the base64 of a CBOR map'],
  ])('is not changed by %j', async (body, problem) => {
    const before = await ask('GET', W);
    const { status, json } = await ask('PUT', W, { body });
    expect([status, json.message]).toEqual([400, `The request cannot be understood: ${problem}`]);
    expect((await ask('GET', W)).json).toEqual(before.json);
  });
});

test('the clock of the queue decides, not that of the server', () => {
  expect(clock.now()).toEqual(now);
});

describe('what was named before, and has been destroyed since by somebody else', () => {
  const [N, S] = ['/namespace/renewed', '/namespace/renewed/work_spec/s'];
  const add = (): Promise<number> => ask('POST', `${S}/work_unit`, { body: { name: 'u' } }).then(({ status }) => status);
  const claim = async (): Promise<any> => (await ask('POST', `${N}/worker/w/request_attempts`, { body: {} })).json.attempts;

  test('is not there, or is what was made anew', async () => {
    await (await coordinate.namespace('renewed')).setWorkSpec({ name: 's' });
    expect([await add(), (await claim()).length]).toEqual([201, 1]);

    await (await coordinate.namespace('renewed')).destroyWorkSpec('s');
    expect([await add(), (await ask('GET', S)).json.code, await claim()]).toEqual([404, 'NoSuchWorkSpec', null]);
    await (await coordinate.namespace('renewed')).setWorkSpec({ name: 's' });
    expect([await add(), (await claim()).length]).toEqual([201, 1]);

    await (await coordinate.namespace('renewed')).destroy();
    expect([await add(), await claim(), (await ask('GET', `${S}/work_unit`)).status]).toEqual([404, null, 404]);
    await (await coordinate.namespace('renewed')).destroy();
    await (await coordinate.namespace('renewed')).setWorkSpec({ name: 's' });
    expect([(await ask('GET', `${S}/counts`)).json, await add()]).toEqual([{}, 201]);
    const [attempt] = await claim();

    await (await coordinate.namespace('renewed')).destroy();
    const reports = { reports: [{ action: 'finish', url: attempt.url }] };
    expect((await ask('POST', attempt.finish_url, { body: {} })).json.code).toBe('NoSuchWorkSpec');
    expect((await ask('POST', `${N}/attempt_reports`, { body: reports })).json.verdicts[0].code).toBe('NoSuchWorkSpec');
    expect((await ask('GET', `${N}/worker/w`)).json.name).toBe('w');
  });
});
