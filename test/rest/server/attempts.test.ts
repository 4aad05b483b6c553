import type { Attempt, Namespace, WorkSpec } from 'pg-coordinate';
import { beforeEach, describe, expect, test } from 'vitest';
import { serving } from './serving.js';

const { ask, coordinate, clock } = await serving();
const zero = '0001-01-01T00:00:00Z';
const N = '/namespace/n';
const S = `${N}/work_spec/s`;
const W = `${N}/worker/w`;
const minutes = (count: number): number => count * 60e9;
const inMs = (ms: number): string => new Date(clock.now().getTime() + ms).toISOString();
let namespace: Namespace;
let spec: WorkSpec;

beforeEach(async () => {
  await (await coordinate.namespace('n')).destroy();
  namespace = await coordinate.namespace('n');
  spec = await namespace.setWorkSpec({ name: 's' });
  await spec.addWorkUnits(['a', 'b', 'c'].map((name) => ({ name, data: { from: name } })));
});

const request = async (body: unknown = {}): Promise<any> => (await ask('POST', `${W}/request_attempts`, { body })).json;
const claim = async (): Promise<any> => (await request()).attempts[0];

describe('a request for work', () => {
  test('is answered with an attempt in full', async () => {
    const { attempts, work_spec_url } = await request({ url: '', available_gb: 0, lifetime: 0, number_of_work_units: 1, work_specs: null, runtimes: null });
    expect(work_spec_url).toBe(S);
    const { number } = attempts[0];
    const A = `${S}/work_unit/a/attempt/w/${number}`;
    const golden = {
      url: A,
      work_unit_url: `${S}/work_unit/a`,
      worker_url: W,
      number,
      status: 'pending',
      data: { from: 'a' },
      start_time: inMs(0),
      end_time: zero,
      expiration_time: inMs(900_000),
      renew_url: `${A}/renew`,
      expire_url: `${A}/expire`,
      finish_url: `${A}/finish`,
      fail_url: `${A}/fail`,
      retry_url: `${A}/retry`,
      work_spec_name: 's',
      work_spec_url: S,
      work_unit_name: 'a',
      worker_name: 'w',
    };
    expect(attempts).toEqual([golden]);
    expect((await ask('GET', A)).json).toEqual(golden);
  });

  test('may be for several units, and for a lifetime of its own', async () => {
    const { attempts } = await request({ number_of_work_units: 2, lifetime: minutes(1) });
    expect(attempts.map(({ work_unit_url, expiration_time }: any) => [work_unit_url, expiration_time])).toEqual([
      [`${S}/work_unit/a`, inMs(60_000)],
      [`${S}/work_unit/b`, inMs(60_000)],
    ]);
  });

  test.each([
    [{ work_specs: ['other'] }, 0],
    [{ work_specs: ['s', 'other'] }, 1],
    [{ work_specs: [] }, 1],
    [{ runtimes: ['go'] }, 0],
    [{ runtimes: ['', 'go'] }, 1],
    [{ runtimes: [] }, 1],
    [{ number_of_work_units: -7 }, 1],
    [{ number_of_work_units: 99 }, 3],
  ])('%j is given %d', async (body, count) => {
    expect(await request(body)).toMatchObject(count === 0 ? { attempts: null } : { attempts: { length: count } });
  });

  test('is given nothing for too little memory, unless it does not say', async () => {
    await spec.setMeta({ minMemoryGb: 2 });
    expect(await request({ available_gb: 1.0 })).toEqual({ attempts: null });
    expect((await request({ available_gb: 0 })).attempts).toHaveLength(1);
  });

  test.each([
    [{ work_specs: 's' }, '"work_specs" must be a list'],
    [{ runtimes: [7] }, '"runtimes" must be a list of strings'],
    [{ number_of_work_units: 'many' }, '"number_of_work_units" must be a whole number'],
    [{ lifetime: 0.5 }, '"lifetime" must be a whole number'],
  ])('%j is refused', async (body, problem) => {
    const { status, json } = await ask('POST', `${W}/request_attempts`, { body });
    expect([status, json.message]).toEqual([400, `The request cannot be understood: ${problem}`]);
  });
});

describe('an attempt made by force', () => {
  test('supersedes the one there is', async () => {
    const first = await claim();
    const { status, json } = await ask('POST', `${W}/make_attempt`, { body: { work_spec: 's', work_unit: 'a', lifetime: minutes(2) } });
    expect(status).toBe(200);
    expect(json).toMatchObject({ status: 'pending', work_unit_url: `${S}/work_unit/a`, expiration_time: inMs(120_000) });
    expect(json.number).toBeGreaterThan(first.number);
    // In the same second, by the same worker: each has a URL of its own.
    expect((await ask('GET', first.url)).json.number).toBe(first.number);
    expect((await ask('POST', first.renew_url, { body: { extend_duration: 1e9 } })).json).toMatchObject({ error: 'ErrLostLease', message: 'No longer the active attempt' });
  });

  test('lives for 15 minutes when no lifetime is given', async () => {
    const { json } = await ask('POST', `${W}/make_attempt`, { body: { work_spec: 's', work_unit: 'a', lifetime: 0 } });
    expect(json.expiration_time).toBe(inMs(900_000));
  });

  test.each([
    [{ work_spec: 'none', work_unit: 'a' }, 'ErrNoSuchWorkSpec', 'none'],
    [{ work_spec: 's', work_unit: 'none' }, 'ErrNoSuchWorkUnit', 'none'],
  ])('of %j says what is not there', async (body, error, value) => {
    const { status, json } = await ask('POST', `${W}/make_attempt`, { body });
    expect([status, json.error, json.value]).toEqual([404, error, value]);
  });
});

describe('a report', () => {
  const post = async (url: string, body: unknown = {}): Promise<[number, string]> => {
    const { status, text } = await ask('POST', url, { body });
    return [status, text === '' ? '' : JSON.parse(text).error];
  };
  const done = [204, ''];

  test('finishes', async () => {
    const attempt = await claim();
    // As old clients send it.
    expect(await post(attempt.finish_url, { data: { result: 1 }, extend_duration: 0, delay: 0 })).toEqual(done);
    expect((await ask('GET', attempt.url)).json).toMatchObject({ status: 'finished', data: { result: 1 }, end_time: inMs(0) });
    expect((await ask('GET', attempt.work_unit_url)).json).toMatchObject({ status: 'finished', data: { result: 1 }, active_attempt_url: attempt.url });
    expect(await post(attempt.finish_url)).toEqual([409, 'ErrNotPending']);
    expect(await post(attempt.fail_url)).toEqual([409, 'ErrNotPending']);
  });

  test('fails; then it may still finish', async () => {
    const attempt = await claim();
    expect(await post(attempt.fail_url)).toEqual(done);
    expect((await ask('GET', attempt.url)).json).toMatchObject({ status: 'failed', data: { from: 'a' } });
    expect(await post(attempt.retry_url)).toEqual([409, 'ErrNotPending']);
    expect(await post(attempt.finish_url)).toEqual(done);
  });

  test('retries, after a delay', async () => {
    const attempt = await claim();
    expect(await post(attempt.retry_url, { delay: minutes(1) })).toEqual(done);
    expect((await ask('GET', attempt.url)).json.status).toBe('retryable');
    expect((await ask('GET', attempt.work_unit_url)).json).toMatchObject({ status: 'delayed', meta: { not_before: inMs(60_000) } });
  });

  test('renews the lease', async () => {
    const attempt = await claim();
    clock.advance(60_000);
    expect(await post(attempt.renew_url, { extend_duration: minutes(5), data: { progress: 0.5 } })).toEqual(done);
    expect((await ask('GET', attempt.url)).json).toMatchObject({ expiration_time: inMs(300_000), data: { progress: 0.5 } });
    expect(await post(attempt.renew_url)).toEqual(done);
    expect((await ask('GET', attempt.url)).json.expiration_time).toBe(inMs(900_000));
  });

  test('expires; once more does nothing', async () => {
    const attempt = await claim();
    expect(await post(attempt.expire_url)).toEqual(done);
    expect(await post(attempt.expire_url, { data: { ignored: true } })).toEqual(done);
    const { json } = await ask('GET', attempt.url);
    expect(json).toMatchObject({ status: 'expired', data: { from: 'a' } });
    expect((await ask('GET', attempt.work_unit_url)).json.status).toBe('available');
    expect(await post(attempt.renew_url)).toEqual([409, 'ErrNotPending']);
  });

  test('that comes late but before anybody looked still counts', async () => {
    const attempt = await claim();
    clock.advance(3_600_000);
    expect(await post(attempt.finish_url)).toEqual(done);
    expect((await ask('GET', attempt.work_unit_url)).json.status).toBe('finished');
  });

  test('hands output on to the next work spec', async () => {
    await namespace.setWorkSpec({ name: 's', then: 'next' });
    const next = await namespace.setWorkSpec({ name: 'next' });
    const attempt = await claim();
    await post(attempt.finish_url, { data: { output: { made: { x: 1 } } } });
    expect(await (await next.workUnit('made')).data()).toEqual({ x: 1 });
  });

  test('on what is gone says so', async () => {
    const attempt = await claim();
    await spec.deleteWorkUnits({ names: ['a'] });
    expect(await post(attempt.finish_url)).toEqual([404, 'ErrNoSuchWorkUnit']);
    expect((await ask('GET', attempt.work_unit_url)).json.error).toBe('ErrNoSuchWorkUnit');
    await namespace.destroyWorkSpec('s');
    expect(await post(attempt.finish_url)).toEqual([404, 'ErrNoSuchWorkSpec']);
  });

  test.each(['0', '-LQ', '999999', '1e3', '99999999999999999999', '2026-11-20T08:55:24Z'])('on attempt %s says that there is none', async (number) => {
    const { status, json } = await ask('POST', `${S}/work_unit/a/attempt/w/${number}/finish`, { body: {} });
    expect([status, json.error, json.message]).toEqual([404, 'error', 'no such attempt']);
  });

  test('on an attempt of another worker says that there is none', async () => {
    const attempt = await claim();
    expect((await ask('GET', attempt.url.replace('/attempt/w/', '/attempt/v/'))).json.message).toBe('no such attempt');
  });

  test.each([
    [{ data: 7 }, '"data" must be an object, or the base64 of a CBOR map'],
    [{ delay: 'soon' }, '"delay" must be a whole number'],
  ])('of %j is refused, and nothing happens', async (body, problem) => {
    const attempt = await claim();
    const { status, json } = await ask('POST', attempt.retry_url, { body });
    expect([status, json.message]).toEqual([400, `The request cannot be understood: ${problem}`]);
    expect((await ask('GET', attempt.url)).json.status).toBe('pending');
  });
});

describe("a worker's attempts", () => {
  const numbers = async (url: string): Promise<number[]> => (await ask('GET', url)).json.attempts.map(({ number }: Attempt) => number);

  test('are listed: active, all in pages, and those of its children', async () => {
    const { attempts } = await request({ number_of_work_units: 3 });
    const all = attempts.map(({ number }: Attempt) => number);
    await ask('POST', attempts[0].finish_url, { body: {} });
    expect(await numbers(`${W}/active_attempts`)).toEqual(all.slice(1));
    expect(await numbers(`${W}/all_attempts`)).toEqual(all);
    expect(await numbers(`${W}/all_attempts?limit=1`)).toEqual(all.slice(0, 1));
    expect(await numbers(`${W}/all_attempts?after=${all[0]}&limit=9`)).toEqual(all.slice(1));
    expect(await numbers(`${W}/all_attempts?limit=0`)).toEqual([]);
    expect((await ask('GET', `${W}/all_attempts?after=x`)).status).toBe(400);
    await ask('PUT', W, { body: { parent: 'boss' } });
    expect(await numbers(`${N}/worker/boss/child_attempts`)).toEqual(all.slice(1));
    expect(await numbers(`${N}/worker/boss/active_attempts`)).toEqual([]);
  });
});

describe('reports on many attempts', () => {
  const report = async (reports: unknown): Promise<any> => ask('POST', `${N}/attempt_reports`, { body: { reports } });

  test('are judged one by one, in their order', async () => {
    const { attempts } = await request({ number_of_work_units: 3 });
    const [a, b, c] = attempts;
    const { status, json } = await report([
      { action: 'finish', url: a.url, data: { result: 1 } },
      { action: 'finish', url: b.url },
      { action: 'renew', url: c.url, extend_duration: minutes(60) },
      { action: 'fail', url: a.url },
      { action: 'retry', url: c.url, delay: minutes(1) },
      { action: 'expire', url: c.url },
      { action: 'finish', url: `${S}/work_unit/none/attempt/w/${a.number}` },
      { action: 'finish', url: c.url.replace('/attempt/w/', '/attempt/v/') },
    ]);
    expect(status).toBe(200);
    expect(json.verdicts.map((verdict: any) => verdict?.error ?? null)).toEqual([null, null, null, 'ErrNotPending', null, 'ErrNotPending', 'ErrNoSuchWorkUnit', 'error']);
    expect(json.verdicts[3]).toEqual({ error: 'ErrNotPending', message: 'Attempt is not pending', code: 'NotPending', details: {} });
    expect(await spec.countWorkUnitStatus()).toEqual({ finished: 2, delayed: 1 });
    expect((await ask('GET', a.url)).json.data).toEqual({ result: 1 });
    expect((await ask('GET', c.url)).json).toMatchObject({ status: 'retryable', expiration_time: inMs(3_600_000) });
  });

  test('may be named by complete URLs, and come late', async () => {
    const attempt = await claim();
    clock.advance(3_600_000);
    expect((await report([{ action: 'finish', url: `http://example.org${attempt.url}` }])).json).toEqual({ verdicts: [null] });
  });

  test('may be none', async () => {
    expect((await report([])).json).toEqual({ verdicts: [] });
    expect((await report(null)).json).toEqual({ verdicts: [] });
  });

  test.each([
    [[7], 'reports[0] must be an object'],
    [[{ url: '/' }], 'reports[0] must have an "action"'],
    [[{ action: 'forget', url: '/' }], '"action" must be one of renew, expire, finish, fail, retry'],
    [[{ action: 'finish' }], '"" is not the url of an attempt of this namespace'],
    [[{ action: 'finish', url: '/namespace/other/work_spec/s/work_unit/a/attempt/w/1' }], '"/namespace/other/work_spec/s/work_unit/a/attempt/w/1" is not the url of an attempt of this namespace'],
    [[{ action: 'finish', url: `${S}/work_unit/%ff/attempt/w/1` }], '"%ff" is not percent-encoded UTF-8'],
  ])('%j are refused', async (reports, problem) => {
    const { status, json } = await report(reports);
    expect([status, json.message]).toEqual([400, `The request cannot be understood: ${problem}`]);
  });
});
