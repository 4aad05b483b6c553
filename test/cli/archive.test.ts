import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { Decoder } from 'cbor-x';
import { CborFloat, PythonTuple, Tagged, Uuid, type Namespace } from 'pg-coordinate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InterruptedError } from '../../src/cli/interrupted-error.js';
import { useQueue } from './queue.js';

const queue = useQueue();
let folder: string;
let original: Namespace;
let archive: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-archive-'));
  original = await queue.coordinate.namespace('original');
  await fill(original);
  const result = await queue.run('original', ['export']);
  expect(result).toMatchObject({ status: 0, errors: '' });
  archive = result.bytes;
});
afterAll(() => rm(folder, { recursive: true }));

const values = {
  null: null, list: [], float: new CborFloat(1), integer: 1, big: 2n ** 63n, bigger: new Tagged(2, new Uint8Array(12).fill(7)),
  bytes: new Uint8Array([0, 255]), date: new Date('2020-01-01T00:00:00.123Z'), uuid: new Uuid(new Uint8Array(16).fill(9)),
  tuple: new PythonTuple(['x', 2n ** 60n]), map: new Map([[1, 'one']]), ['__proto__']: 'own', deep: nested(90),
};

function nested(depth: number): unknown {
  return depth === 0 ? 'deep' : [nested(depth - 1)];
}

/** Units in every state, whose attempts have ended in every way. */
async function fill(namespace: Namespace): Promise<void> {
  const first = await namespace.setWorkSpec({ name: 'first', then: 'second', priority: 1, continuous: true, interval: 3600, values });
  await namespace.setWorkSpec({ name: 'second', nothing: null });
  await namespace.setWorkSpec({ name: '\u0000 strange \u2028' });
  await first.addWorkUnits([
    { name: '1 finished', data: values },
    { name: '2 failed', data: { in: 2 } },
    { name: '3 retried', data: { in: 3 } },
    { name: '4 expired', data: { in: 4 } },
    { name: '5 again', data: { in: 5 } },
    { name: '6 running', data: { in: 6 } },
    { name: '7 waiting', data: { in: 7 } },
    { name: Buffer.from([0xff, 0x00]), data: {}, meta: { priority: -0.5 } },
    { name: Buffer.from([0xff, 0x01]), data: {}, meta: { notBefore: new Date('2999-12-31T23:59:59.999Z') } },
  ]);
  const worker = await namespace.worker('worker one');
  const attempts = await worker.requestAttempts({ numberOfWorkUnits: 6, workSpecs: ['first'] });
  const [finished, failed, retried, expired, again, running] = attempts;
  await finished!.finish({ ...values, output: { chained: { from: 'first' } } });
  await failed!.fail({ error: 'broken' });
  await retried!.retry({ try: 1 });
  await expired!.expire();
  await again!.finish({ out: 5 });
  await again!.workUnit.clearActiveAttempt();
  await running!.renew(600_000, { progress: 1 });
  const other = await namespace.worker('other');
  const second = await other.makeAttempt(retried!.workUnit);
  await second.fail({ try: 2 });
  await (await namespace.workSpec('second')).setMeta({ paused: true, weight: 3 });
  await first.setMeta({ nextContinuous: new Date('2999-01-01T00:00:00Z'), maxRunning: 7, minMemoryGb: 0.25 });
}

describe('export and import', () => {
  test('come to the same bytes again, and again', async () => {
    expect(await queue.run('copy', ['import'], { input: archive })).toMatchObject({
      status: 0,
      output: expect.stringMatching(/^3 work specs and 10 units imported into the namespace copy in /),
      errors: '',
    });
    const again = await queue.run('copy', ['export']);
    expect(again.bytes.equals(archive)).toBe(true);

    const file = join(folder, 'copy.cbor');
    expect(await queue.run('copy', ['export', file])).toMatchObject({ status: 0, output: expect.stringMatching(/^10 units exported in /) });
    expect((await readFile(file)).equals(archive)).toBe(true);
    // Cut anywhere.
    const pieces = Readable.from(Array.from({ length: Math.ceil(archive.length / 7) }, (_, index) => archive.subarray(index * 7, index * 7 + 7)));
    expect(await queue.run('pieces', ['import'], { input: pieces })).toMatchObject({ status: 0 });
    expect((await queue.run('pieces', ['export'])).bytes.equals(archive)).toBe(true);
  });

  test('bring back what units, work specs and attempts are', async () => {
    const copy = await queue.coordinate.namespace('copy');
    const first = await copy.workSpec('first');
    expect(await first.data()).toEqual(await (await original.workSpec('first')).data());
    expect(await first.meta()).toMatchObject({ maxRunning: 7, nextContinuous: new Date('2999-01-01T00:00:00Z'), nextWorkSpecName: 'second', paused: false });
    expect(await (await copy.workSpec('second')).meta()).toMatchObject({ paused: true, weight: 3 });
    expect(await first.countWorkUnitStatus()).toEqual({ available: 5, delayed: 1, finished: 1, failed: 2 });
    // Output is not made twice.
    expect((await (await copy.workSpec('second')).workUnits()).map(({ name }) => name)).toEqual(['chained']);
    const failed = await first.workUnit('2 failed');
    expect(await failed.data()).toEqual({ error: 'broken' });
    await failed.clearActiveAttempt();
    expect(await failed.data()).toEqual({ in: 2 });
    const retried = await (await first.workUnit('3 retried')).attempts();
    expect(retried.map(({ status, worker, data }) => [status, worker.name, data])).toEqual([
      ['retryable', 'worker one', { try: 1 }],
      ['failed', 'other', { try: 2 }],
    ]);
    const [running] = await (await first.workUnit('6 running')).attempts();
    expect(running).toMatchObject({ status: 'expired', data: { progress: 1 } });
    expect(await copy.workers({ activeOnly: true })).toEqual([]);
  });

  test('is a CBOR sequence that others can read', () => {
    const decoder = new Decoder({ mapsAsObjects: true, useRecords: false, int64AsNumber: true } as object);
    const items = decoder.decodeMultiple(archive) as { readonly value: Uint8Array }[];
    const records = items.map(({ value }) => decoder.decode(value) as unknown[]);
    expect(records[0]).toEqual(['pg-coordinate', 1]);
    expect(records.at(-1)).toEqual(['end', 3, 10]);
    expect(records.map(([kind]) => kind)).toEqual(['pg-coordinate', 'work-spec', 'work-spec', ...Array<string>(9).fill('unit'), 'work-spec', 'unit', 'end']);
  });
});

describe('an import that goes wrong leaves nothing', () => {
  const importing = async (input: Uint8Array | Readable, signal?: AbortSignal) => {
    const name = randomUUID();
    const result = await queue.run(name, ['import'], { input, ...(signal && { signal }) });
    expect((await queue.coordinate.namespaces()).map((namespace) => namespace.name)).not.toContain(name);
    expect(result.output).toBe('');
    return [result.status, result.errors.replace('pg-coordinate: ', '').trimEnd()];
  };

  test('because the archive is cut off, at any place', async () => {
    for (const length of [0, 1, 2, 3, 20, 200, Math.floor(archive.length / 2), archive.length - 1]) {
      expect(await importing(archive.subarray(0, length))).toEqual([
        1,
        expect.stringMatching(/^Standard input (is empty|ends in the middle of a record: it is cut off)$/),
      ]);
    }
    const end = archive.lastIndexOf(Buffer.from('d818', 'hex'));
    expect(await importing(archive.subarray(0, end))).toEqual([1, 'Standard input has no end: it is cut off']);
  });

  test('because it is none, or damaged', async () => {
    expect(await importing(Buffer.from('name,a\n'))).toEqual([1, 'Standard input is no export of pg-coordinate, or is damaged']);
    const damaged = Buffer.from(archive);
    damaged.write('spec', archive.indexOf('unit'));
    expect(await importing(damaged)).toEqual([1, 'Standard input is damaged, or is no export of pg-coordinate: record is of an unknown kind']);
    expect(await importing(Buffer.concat([archive, archive]))).toEqual([1, expect.stringMatching(/^Standard input is damaged: it begins twice$/)]);
    const newer = Buffer.from(archive);
    newer[archive.indexOf('pg-coordinate') + 13] = 2;
    expect(await importing(newer)).toEqual([1, 'Standard input is of version 2; this pg-coordinate reads up to 1: update it']);
  });

  test('because of Ctrl-C', async () => {
    const interruption = new AbortController();
    const source = Readable.from(
      (function* () {
        yield archive.subarray(0, archive.length - 30);
        interruption.abort(new InterruptedError('SIGINT'));
        yield archive.subarray(archive.length - 30);
      })(),
    );
    expect(await importing(source, interruption.signal)).toEqual([130, 'ended by SIGINT']);
  });

  test('and one into a namespace that has work specs changes nothing', async () => {
    const { status, errors } = await queue.run('original', ['import'], { input: archive });
    expect([status, errors]).toEqual([1, 'pg-coordinate: The namespace original has work specs already (3); import into an empty one\n']);
    expect((await queue.run('original', ['export'])).bytes.equals(archive)).toBe(true);
  });
});

describe('an export', () => {
  test('replaces no file unless told to, and leaves none behind when it is interrupted', async () => {
    const file = join(folder, 'there.cbor');
    await writeFile(file, 'something');
    expect(await queue.run('original', ['export', file])).toMatchObject({
      status: 2,
      errors: `pg-coordinate: ${file} is there already; give --force to replace it\n`,
    });
    const signal = AbortSignal.abort(new InterruptedError('SIGINT'));
    expect((await queue.run('original', ['export', file, '--force'], { signal })).status).toBe(130);
    expect((await queue.run('original', ['export', join(folder, 'other.cbor')], { signal })).status).toBe(130);
    expect(await readFile(file, 'utf8')).toBe('something');
    expect(await queue.run('original', ['export', file, '--force'])).toMatchObject({ status: 0 });
    expect((await readFile(file)).equals(archive)).toBe(true);
    expect((await readdir(folder)).sort()).toEqual(['copy.cbor', 'there.cbor']);
  });

  test('is not written to a terminal', async () => {
    expect(await queue.run('original', ['export'], { terminal: true })).toMatchObject({
      status: 2,
      errors: 'pg-coordinate: an export is no text: name a file, or send standard output somewhere\n',
    });
    expect(await queue.run('original', ['import'], { terminal: true })).toMatchObject({ status: 2 });
  });
});

test('both as processes', async () => {
  const file = join(folder, 'process.cbor');
  expect(await queue.process('original', ['export', file])).toMatchObject({ status: 0, errors: '' });
  expect((await readFile(file)).equals(archive)).toBe(true);
  expect(await queue.process('from a process', ['import', file])).toMatchObject({ status: 0, errors: '', output: expect.stringMatching(/^3 work specs/) });
  expect((await queue.run('from a process', ['export'])).bytes.equals(archive)).toBe(true);
});
