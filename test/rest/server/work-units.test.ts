import { beforeAll, describe, expect, test } from 'vitest';
import type { Namespace, WorkSpec } from 'pg-coordinate';
import { now, serving } from './serving.js';

const { ask, coordinate, clock } = await serving();
const zero = '0001-01-01T00:00:00Z';
const S = '/namespace/n/work_spec/s';
let namespace: Namespace;
let spec: WorkSpec;
beforeAll(async () => {
  namespace = await coordinate.namespace('n');
  spec = await namespace.setWorkSpec({ name: 's' });
});

const names = async (query = ''): Promise<string[]> =>
  (await ask('GET', `${S}/work_unit${query}`)).json.work_units.map(({ name }: { name: string }) => name);

describe('a work unit', () => {
  const U = `${S}/work_unit/a`;
  const golden = {
    name: 'a',
    url: U,
    data: { x: 1 },
    meta: { priority: 0.5, not_before: zero },
    status: 'available',
    work_spec_url: S,
    attempts_url: `${U}/attempts`,
    attempts_query_url: `${U}/attempts{?full}`,
    num_attempts_url: `${U}/num-attempts`,
    explain_url: `${U}/explain`,
    cancel_url: `${U}/cancel`,
  };

  test('is made by a POST', async () => {
    const { status, headers, json } = await ask('POST', `${S}/work_unit`, { body: { name: 'a', data: { x: 1 }, meta: { priority: 0.5 } } });
    expect([status, headers.get('location'), json]).toEqual([201, U, { name: 'a', url: U }]);
    expect((await ask('GET', U)).json).toEqual(golden);
  });

  test('is made by the whole structure that old clients send', async () => {
    const body = { url: '', name: 'b', data: {}, meta: { priority: 0, not_before: zero }, status: 'any', work_spec_url: '', attempts_url: '' };
    expect((await ask('POST', `${S}/work_unit`, { body })).status).toBe(201);
    const { json } = await ask('GET', `${S}/work_unit/b`);
    expect(json).toMatchObject({ meta: { priority: 0, not_before: zero }, status: 'available' });
    expect(json).not.toHaveProperty('data');
    expect(json).not.toHaveProperty('active_attempt_url');
  });

  test('keeps numbers as they are sent, and what JSON cannot hold', async () => {
    const data = '{"i":1,"f":1.0,"big":18446744073709551615,"min":-9223372036854775808,"null":null,"list":[],"__proto__":{}}';
    await ask('POST', `${S}/work_unit`, { body: `{"name":"numbers","data":${data}}` });
    expect((await ask('GET', `${S}/work_unit/numbers`)).text).toContain(`"data":${data},`);
    await ask('POST', `${S}/work_unit`, { body: { name: 'tuple', data: 'oWNrZXnYgIA=' } });
    expect((await ask('GET', `${S}/work_unit/tuple`)).json.data).toBe('oWNrZXnYgIA=');
    await spec.addWorkUnit('bytes', { raw: Uint8Array.of(0xfb, 0xff) });
    expect((await ask('GET', `${S}/work_unit/bytes`)).json.data).toEqual({ raw: '+/8=' });
    await spec.deleteWorkUnits({ names: ['numbers', 'tuple', 'bytes'] });
  });

  test('has its meta replaced wholly by a PUT with a meta, and only by that', async () => {
    const later = new Date(now.getTime() + 60_000).toISOString();
    expect((await ask('PUT', U, { body: { meta: { not_before: later }, data: { y: 1 }, status: 'finished' } })).status).toBe(204);
    expect((await ask('GET', U)).json).toEqual({ ...golden, meta: { priority: 0, not_before: later }, status: 'delayed' });
    expect((await ask('PUT', U, { body: {} })).status).toBe(204);
    expect((await ask('GET', U)).json.status).toBe('delayed');
    await ask('PUT', U, { body: { meta: { priority: 0.5 } } });
    expect((await ask('GET', U)).json).toEqual(golden);
  });

  test('shows its active attempt, which a PUT of "-" clears', async () => {
    const worker = await namespace.worker('w');
    const attempt = await worker.makeAttempt(await spec.workUnit('a'));
    const A = `${U}/attempt/w/${attempt.number}`;
    expect((await ask('GET', U)).json).toEqual({ ...golden, own_data: { x: 1 }, status: 'pending', active_attempt_url: A });
    expect((await ask('GET', `${U}/attempts`)).json).toEqual({
      attempts: [{ url: A, work_unit_url: U, worker_url: '/namespace/n/worker/w', start_time: now.toISOString(), number: attempt.number }],
    });
    expect((await ask('GET', `${U}/num-attempts`)).text).toBe('1');
    await ask('PUT', U, { body: { active_attempt_url: A } });
    expect((await ask('GET', U)).json.status).toBe('pending');
    expect((await ask('PUT', U, { body: { active_attempt_url: '-' } })).status).toBe(204);
    expect((await ask('GET', U)).json).toEqual(golden);
    expect((await ask('GET', `/namespace/n/worker/w/active_attempts`)).json.attempts).toHaveLength(1);
  });

  test('says why it does not run', async () => {
    await spec.setMeta({ paused: true });
    expect((await ask('GET', `${U}/explain`)).json).toEqual({
      status: 'available',
      text: expect.stringContaining('paused'),
      reasons: [{ kind: 'paused' }, { kind: 'no-worker', runtime: '' }],
    });
    await spec.setMeta({ paused: false });
    const attempt = await (await namespace.worker('w')).makeAttempt(await spec.workUnit('a'));
    expect((await ask('GET', `${U}/explain`)).json.reasons).toEqual([
      { kind: 'held', attempt: attempt.number, worker: 'w', until: new Date(now.getTime() + 900_000).toISOString() },
    ]);
  });

  test('is cancelled', async () => {
    expect((await ask('POST', `${U}/cancel`, { body: { reason: 'no longer wanted' } })).json).toEqual({ cancelled: true });
    expect((await ask('GET', U)).json).toMatchObject({ status: 'failed', data: { error: { message: 'no longer wanted' } } });
    expect((await ask('POST', `${U}/cancel`, { body: {} })).json).toEqual({ cancelled: false });
  });

  test('runs again when it is added again', async () => {
    await ask('POST', `${S}/work_unit`, { body: { name: 'a', data: { x: 2 } } });
    expect((await ask('GET', U)).json).toMatchObject({ status: 'available', data: { x: 2 } });
  });

  test('is deleted', async () => {
    expect((await ask('DELETE', U)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      const { status, json } = await ask(method, U);
      expect([status, json.error, json.value, json.message]).toEqual([404, 'ErrNoSuchWorkUnit', 'a', 'No such work unit "a"']);
    }
  });

  test('may have any bytes for a name', async () => {
    const key = Uint8Array.from([0x2f, 0xff, 0, 0x25]);
    await spec.addWorkUnit(key, { raw: true });
    const { json } = await ask('GET', `${S}/work_unit?key=-L_8AJQ`);
    expect(json).toEqual({ work_units: [{ name: '/\uFFFD\0%', key: '-L_8AJQ', url: `${S}/work_unit/-L_8AJQ` }] });
    expect((await ask('GET', json.work_units[0].url)).json.data).toEqual({ raw: true });
    expect((await ask('DELETE', json.work_units[0].url)).status).toBe(204);
  });

  test.each([
    ['-', ''],
    [`-${Buffer.alloc(1_001, 'x').toString('base64url')}`, 'x'.repeat(1_001)],
  ])('of a name that none can have is not there', async (segment, name) => {
    const { status, json } = await ask('GET', `${S}/work_unit/${segment}`);
    expect([status, json.error, json.value]).toEqual([404, 'ErrNoSuchWorkUnit', name]);
  });

  test.each([
    [{ name: 7 }, '"name" must be a string'],
    [{ name: 'x', data: 'x' }, '"data" is a string, but not base64 with padding'],
    [{ name: 'x', meta: 7 }, '"meta" must be an object'],
    [{ name: 'x', meta: { priority: 'high' } }, '"priority" must be a number'],
    [{ name: 'x', meta: { not_before: '' } }, '"not_before" must be a time such as 2026-11-20T08:55:24Z'],
  ])('cannot be made of %j', async (body, problem) => {
    const { status, json } = await ask('POST', `${S}/work_unit`, { body });
    expect([status, json.error, json.message]).toEqual([400, 'error', `The request cannot be understood: ${problem}`]);
  });

  test('cannot be made without a name', async () => {
    const { status, json } = await ask('POST', `${S}/work_unit`, { body: {} });
    expect([status, json.message]).toEqual([400, 'name: must be 1 to 1000 bytes long, not 0']);
  });
});

describe('many work units', () => {
  beforeAll(async () => {
    await spec.deleteWorkUnits();
    await spec.addWorkUnits(['d', 'b', 'a', 'c', 'a b'].map((name) => ({ name, data: {} })));
  });

  test('are listed in order of their names, bytewise', async () => {
    expect(await names()).toEqual(['a', 'a b', 'b', 'c', 'd']);
    expect((await ask('GET', `${S}/work_unit?name=a%20b`)).json).toEqual({ work_units: [{ name: 'a b', url: `${S}/work_unit/-YSBi` }] });
  });

  test('are chosen by all conditions together', async () => {
    expect(await names('?name=c&name=a&name=unknown')).toEqual(['a', 'c']);
    expect(await names('?limit=2')).toEqual(['a', 'a b']);
    expect(await names('?previous=a&limit=2')).toEqual(['a b', 'b']);
    // As old clients write a name that is not safe in a path.
    expect(await names('?previous=-YSBi')).toEqual(['b', 'c', 'd']);
    expect(await names('?status=available&status=failed&name=b')).toEqual(['b']);
    expect(await names('?status=pending')).toEqual([]);
    expect(await names('?status=any&limit=1')).toEqual(['a']);
    expect(await names('?name=')).toEqual([]);
    expect(await names('?limit=-1&previous=')).toHaveLength(5);
  });

  test.each(['?limit=x', '?status=done', '?previous=-!'])('are not chosen by %s', async (query) => {
    for (const [method, path] of [['GET', 'work_unit'], ['DELETE', 'work_unit'], ['POST', 'change'], ['POST', 'adjust']] as const) {
      const { status, json } = await ask(method, `${S}/${path}${query}`, method === 'POST' ? { body: {} } : {});
      expect([status, json.error]).toEqual([400, 'error']);
    }
    expect(await names()).toHaveLength(5);
  });

  test('have their priorities set and adjusted', async () => {
    const priorities = async (): Promise<number[]> => Promise.all((await spec.workUnits()).map((unit) => unit.priority()));
    expect((await ask('POST', `${S}/change?name=a&name=b`, { body: { meta: { priority: 2 } } })).status).toBe(204);
    expect(await priorities()).toEqual([2, 0, 2, 0, 0]);
    expect((await ask('POST', `${S}/adjust?previous=a&limit=2`, { body: { name: '', meta: { priority: -0.5, not_before: zero } } })).status).toBe(204);
    expect(await priorities()).toEqual([2, -0.5, 1.5, 0, 0]);
    expect((await ask('POST', `${S}/change`, { body: {} })).status).toBe(204);
    expect(await priorities()).toEqual([2, -0.5, 1.5, 0, 0]);
  });

  test('are deleted, and counted', async () => {
    expect((await ask('DELETE', `${S}/work_unit?limit=2`)).json).toEqual({ Deleted: 2 });
    expect(await names()).toEqual(['b', 'c', 'd']);
    expect((await ask('DELETE', `${S}/work_unit`)).json).toEqual({ Deleted: 3 });
    expect((await ask('GET', `${S}/work_unit`)).json).toEqual({ work_units: [] });
    expect((await ask('GET', `${S}/counts`)).json).toEqual({});
  });

  test('are added in one request, all or none', async () => {
    const units = Array.from({ length: 1_000 }, (_, index) => ({ name: `u${index}`, data: { index }, meta: { priority: index } }));
    expect((await ask('POST', `${S}/work_units`, { body: { work_units: [...units, { name: 'u0' }] } })).json).toEqual({ added: 1_000 });
    expect(await (await spec.workUnit('u999')).priority()).toBe(999);
    expect(await (await spec.workUnit('u0')).data()).toEqual({});

    const { status, json } = await ask('POST', `${S}/work_units`, { body: { work_units: [{ name: 'v0' }, { name: 'v1', data: 'x' }] } });
    expect([status, json.message]).toEqual([400, 'The request cannot be understood: in work_units[1], "data" is a string, but not base64 with padding']);
    expect((await ask('POST', `${S}/work_units`, { body: { work_units: [{ name: 'v0' }, {}] } })).json.message).toMatch(/^units\[1\]\.name: /);
    expect(await names('?name=v0')).toEqual([]);
    expect((await ask('POST', `${S}/work_units`, { body: {} })).json).toEqual({ added: 0 });
  });

  test('become available when their time has come', async () => {
    await spec.deleteWorkUnits();
    await ask('POST', `${S}/work_unit`, { body: { name: 'late', meta: { not_before: new Date(now.getTime() + 1_000).toISOString() } } });
    expect((await ask('GET', `${S}/counts`)).json).toEqual({ delayed: 1 });
    clock.advance(1_000);
    expect((await ask('GET', `${S}/counts`)).json).toEqual({ available: 1 });
  });
});
