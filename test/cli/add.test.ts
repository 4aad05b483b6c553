import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { Namespace, WorkSpec } from 'pg-coordinate';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { InterruptedError } from '../../src/cli/interrupted-error.js';
import { useQueue } from './queue.js';

const queue = useQueue();
let folder: string;
let namespace: Namespace;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-add-'));
  namespace = await queue.coordinate.namespace('add');
});
afterEach(() => void vi.useRealTimers());
afterAll(() => rm(folder, { recursive: true }));

const specOf = (name: string): Promise<WorkSpec> => namespace.setWorkSpec({ name });
const add = (args: readonly string[], input: string | Uint8Array | Readable = '') => queue.run('add', ['add', ...args], { input });

async function contents(spec: WorkSpec): Promise<Record<string, unknown>> {
  const units = await spec.workUnits();
  return Object.fromEntries(await Promise.all(units.map(async (unit) => [unit.name, await unit.data()] as const)));
}

describe('add', () => {
  test('takes names, data and meta from its arguments', async () => {
    const spec = await specOf('arguments');
    const { status, output } = await add(['arguments', 'a', 'hex:00ff', '--data', '{"width": 120}', '--priority', '-3', '--delay', '1h']);
    expect(status).toBe(0);
    expect(output).toMatch(/^2 units added to arguments in [\d.]+ m?s \([\d,]+ per second\)\.\n$/);
    const units = await spec.workUnits();
    expect(units.map(({ key }) => Buffer.from(key).toString('hex'))).toEqual(['00ff', '61']);
    for (const unit of units) {
      expect([await unit.data(), await unit.status(), await unit.priority()]).toEqual([{ width: 120 }, 'delayed', -3]);
    }
  });

  test('delays by the time of the queue, whatever the clock of this machine says', async () => {
    const spec = await specOf('delayed');
    const before = (await queue.coordinate.now()).getTime();
    const began = performance.now();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 5 * 3_600_000 });
    expect(await add(['delayed', 'argument', '--delay', '1h'])).toMatchObject({ status: 0 });
    vi.setSystemTime(Date.now() - 10 * 3_600_000);
    expect(await add(['delayed', '-', '--format', 'jsonl'], '["line", {}, {"delay": 3600}]')).toMatchObject({ status: 0 });
    vi.useRealTimers();
    // A command counts from when it has asked for the time, and is as far ahead as it has waited for the answer.
    const aheadMs = performance.now() - began;
    const after = (await queue.coordinate.now()).getTime();
    for (const { meta } of (await spec.readWorkUnits()).units) {
      expect(meta.notBefore!.getTime()).toBeGreaterThanOrEqual(before + 3_600_000);
      expect(meta.notBefore!.getTime()).toBeLessThanOrEqual(after + 3_600_000 + aheadMs);
    }
  });

  test('takes a list from standard input: any bytes but line ends are names', async () => {
    const spec = await specOf('list');
    const names = Buffer.concat([Buffer.from('one\r\n\na\u2028b\n'), Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from('hex:00\nlast')]);
    expect(await add(['list', '-'], names)).toMatchObject({ status: 0, output: expect.stringMatching(/^5 units added/) });
    const keys = (await spec.workUnits()).map(({ key }) => Buffer.from(key).toString('latin1'));
    expect(keys).toEqual(['\0', Buffer.from('a\u2028b').toString('latin1'), 'last', 'one', '\xff\xfe']);
  });

  test('takes JSON lines, in each of their forms', async () => {
    const spec = await specOf('json');
    const lines = ['"text"', '["list", {"a": 1}, {"priority": 4}]', '{"name": "object", "data": {"b": [1, null]}, "notBefore": "2999-01-01T00:00:00Z"}', ''];
    expect(await add(['json', '-', '--format', 'jsonl', '--data', '{"c": true}'], lines.join('\n'))).toMatchObject({ status: 0 });
    expect(await contents(spec)).toEqual({ text: { c: true }, list: { a: 1, c: true }, object: { b: [1, null], c: true } });
    expect(await (await spec.workUnit('list')).priority()).toBe(4);
    expect(await (await spec.workUnit('object')).meta()).toEqual({ priority: 0, notBefore: new Date('2999-01-01T00:00:00Z') });
  });

  test('takes CSV from a file, by its name', async () => {
    const spec = await specOf('csv');
    const file = join(folder, 'units.csv');
    await writeFile(file, '\uFEFFid,city,note\n1,Köln,"two\nlines"\n2,,"a ""word"""\n');
    expect(await add(['csv', '--file', file, '--name-column', 'id'])).toMatchObject({ status: 0, output: expect.stringMatching(/^2 units/) });
    expect(await contents(spec)).toEqual({ 1: { city: 'Köln', note: 'two\nlines' }, 2: { city: '', note: 'a "word"' } });
  });

  test('says in which line something is wrong, and that what came before is in', async () => {
    const spec = await specOf('wrong');
    const errorOf = async (args: readonly string[], input: string): Promise<string> => {
      const { status, output, errors } = await add(['wrong', '-', ...args], input);
      expect([status, output]).toEqual([1, '']);
      return errors.replace('pg-coordinate: ', '').trimEnd();
    };
    expect(await errorOf(['--format', 'jsonl'], '"good"\n\n{"nam": "x"}\n')).toBe(
      'line 3 nam is not an option; did you mean "name"?; what came before is added',
    );
    expect(await errorOf(['--format', 'jsonl'], '{]')).toMatch(/^line 1 is not JSON: .*; what came before is added$/);
    expect(await errorOf(['--format', 'jsonl'], '7')).toMatch(/^line 1 must be an object, not a number; what came/);
    expect(await errorOf(['--format', 'jsonl'], '{"name": "x", "priority": "high"}')).toMatch(/^line 1 priority must be a number, not a string;/);
    expect(await errorOf(['--format', 'csv'], 'a,b\n1,2\n')).toMatch(/^the CSV has no column "name" for the names \(it has a, b\); say which/);
    expect(await errorOf(['--format', 'csv'], 'name,b\n1,2,3\n')).toMatch(/^the CSV cannot be read: .*; what came before is added$/);
    expect(await errorOf([], `${'x'.repeat(1001)}\n`)).toMatch(/^unit 1: name must be .*; what came before is added$/);
    expect(await contents(spec)).toEqual({ good: {} });
  });

  test('suggests the work spec that was meant, and makes none', async () => {
    await specOf('numbers');
    expect(await add(['numbrs', 'a'])).toMatchObject({
      status: 1,
      errors: 'pg-coordinate: There is no work spec numbrs in the namespace add (did you mean numbers?)\n',
    });
    const { errors } = await queue.run('ad', ['add', 'numbers', 'a']);
    expect(errors).toBe('pg-coordinate: There is no namespace ad (did you mean add?); name another one with --namespace\n');
  });

  test.each([
    ['no units', ['numbers'], 'name the units to add, or give - for standard input, or --file'],
    ['- among names', ['numbers', 'a', '-'], '- is standard input, and stands alone: give names or -'],
    ['a file and names', ['numbers', 'a', '--file', 'x'], 'give names, - or --file, not two of them'],
    ['a format nobody knows', ['numbers', '-', '--format', 'yaml'], "option '--format <format>' argument 'yaml' is invalid. It must be one of list, jsonl, csv."],
    ['data that are no JSON', ['numbers', 'a', '--data', '[]'], "option '--data <json>' argument '[]' is invalid. It must be a JSON object."],
    ['a delay that is none', ['numbers', 'a', '--delay', 'soon'], "option '--delay <time>' argument 'soon' is invalid. It must be a time such as 90s, 15m, 2h or 1d."],
    ['no work spec', [], "missing required argument 'spec'"],
  ])('refuses %s', async (_what, args, problem) => {
    expect(await add(args)).toMatchObject({ status: 2, output: '', errors: `pg-coordinate: ${problem}\n` });
  });

  test('shows a bar, the rate and the time left, on a terminal only', async () => {
    await specOf('bar');
    const names = Array.from({ length: 3_000 }, (_, index) => `unit ${index}`).join('\n');
    const { errors } = await queue.run('add', ['add', 'bar', '-', '--total', '3000'], { input: names, terminal: true });
    expect(errors).toMatch(/░+/);
    expect(errors).toMatch(/\d+% [\d,]+ units {2}[\d,]+\/s/);
    expect((await add(['bar', '-'], names)).errors).toBe('');
  });

  test('ends on Ctrl-C: what was being written is in whole batches, the rest is not asked for', async () => {
    const spec = await specOf('interrupted');
    const interruption = new AbortController();
    let given = 0;
    const endless = Readable.from(
      (function* () {
        for (;;) {
          given++;
          if (given === 50) interruption.abort(new InterruptedError('SIGINT'));
          yield Buffer.from(Array.from({ length: 100 }, (_, index) => `${given}-${index}\n`).join(''));
        }
      })(),
    );
    const result = await queue.run('add', ['add', 'interrupted', '-'], { input: endless, signal: interruption.signal });
    expect(result).toMatchObject({
      status: 130,
      output: '',
      errors: 'Some of the units are added; adding all of them again does no harm.\npg-coordinate: ended by SIGINT\n',
    });
    expect(endless.destroyed).toBe(true);
    const { available = 0 } = await spec.countWorkUnitStatus();
    expect(available % 1_000).toBe(0);
  });

  test('as a process, from a pipe', async () => {
    const spec = await specOf('process');
    const input = Array.from({ length: 5_000 }, (_, index) => `${index}\n`).join('');
    const { status, output, errors } = await queue.process('add', ['add', 'process', '-'], {}, input);
    expect([status, errors]).toEqual([0, '']);
    expect(output).toMatch(/^5,000 units added to process in /);
    expect(await spec.countWorkUnitStatus()).toEqual({ available: 5_000 });
  });
});
