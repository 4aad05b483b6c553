import { execFile } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { promisify } from 'node:util';
import pg from 'pg';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { InterruptedError } from '../../src/cli/interrupted-error.js';
import { useQueue } from './queue.js';
import { runHere, type HereOptions, type HereResult } from './run-here.js';

const queue = useQueue();
const run = promisify(execFile);

describe('top', () => {
  test('shows work specs and workers, and goes by its keys', async () => {
    const namespace = await queue.coordinate.namespace('top');
    await (await namespace.setWorkSpec({ name: 'letters' })).addWorkUnit('a', {});
    const parcels = await namespace.setWorkSpec({ name: 'parcels' });
    await parcels.addWorkUnits([{ name: 'a', data: {} }, { name: 'b', data: {} }]);
    await queue.database.query(`update ${queue.database.bucket}.work_unit set added_at = now() - interval '2 hours' where spec_id = $1 and name = 'b'`, [parcels.id]);
    await namespace.worker('worker');
    const input = new PassThrough();
    const keys = ['s', 'p', 'j', 'k', 'q'];
    let pressed = 0;
    const { status, output } = await queue.run('top', ['top', '--period', '1h'], {
      input,
      terminal: true,
      // The next key once the screen shows what the last one has done.
      onOutput: (text) => {
        const key = keys[pressed];
        if (key !== undefined && text.split('\u001B[H').length > pressed + 1) {
          pressed++;
          input.write(key);
        }
      },
    });
    expect(status).toBe(0);
    const screens = output.split('\u001B[H').slice(1).map((screen) => screen.replaceAll(/\u001B\[[0-9;?]*[a-zA-Z]/g, '').split('\n'));
    expect(screens[0]?.slice(0, 4)).toEqual([
      '2 work specs, 1 active worker, 0 units per second',
      expect.stringMatching(/^ +work spec\* +available +delayed +pending +finished +failed +per second +time left +oldest$/),
      expect.stringMatching(/^> +letters +1 +0 +0 +0 +0 +- +- +[\d.]+ m?s$/),
      expect.stringMatching(/^ +parcels +2 +0 +0 +0 +0 +- +- +2 h 0 min$/),
    ]);
    expect(screens[1]?.[2]).toMatch(/^> +parcels /);
    expect(screens[1]).toContain('sorted by available');
    expect(screens[2]).toContain('parcels is paused');
    expect(screens[2]?.[2]).toMatch(/^> +parcels \(paused\) /);
    expect(screens[3]?.[3]).toMatch(/^> +letters /);
    expect(screens[4]?.[2]).toMatch(/^> +parcels /);
    expect((await parcels.meta()).paused).toBe(true);
  });

  test('tells rates, and prints again and again without a terminal', async () => {
    const namespace = await queue.coordinate.namespace('rates');
    const spec = await namespace.setWorkSpec({ name: 'letters' });
    const units = 20;
    await spec.addWorkUnits(Array.from({ length: units }, (_, index) => ({ name: `${index}`, data: {} })));
    const interruption = new AbortController();
    const worker = await namespace.worker('worker');
    let finished = 0;
    let working = Promise.resolve();
    const finishNext = async (): Promise<void> => (await worker.requestAttempts())[0]?.finish();
    const { status, output } = await queue.run('rates', ['top', '--period', '20ms', '--sort', 'rate'], {
      signal: interruption.signal,
      onOutput: (text) => {
        const row = `letters +${units - finished} +0 +0 +${finished} +0 +`;
        if (new RegExp(`${row}[1-9]`).test(text)) interruption.abort(new InterruptedError('SIGINT'));
        else if (new RegExp(row).test(text)) {
          // A look that is late finds less than one a second, and only the look that finds a unit finished counts it.
          finished++;
          working = working.then(finishNext);
        }
      },
    });
    expect(status).toBe(0);
    expect(output).toMatch(/work spec, 1 active worker, [1-9]\d* units per second/);
    await working;
  });

  test('as a process', async () => {
    const { status, errors } = await queue.process('top', ['top', '--sort', 'rat']);
    expect([status, errors]).toEqual([2, "pg-coordinate: option '--sort <column>' argument 'rat' is invalid. Did you mean rate?\n"]);
  });
});

/** Runs bench here; also resolves to the schemas that it has made, by the statements that it has sent: others run it on the same server. */
async function bench(args: readonly string[], options: HereOptions = {}): Promise<HereResult & { readonly made: readonly string[] }> {
  const made = new Set<string>();
  const query = pg.Client.prototype.query as (...sent: unknown[]) => unknown;
  const spy = vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...sent: unknown[]) {
    const [config] = sent as [string | { readonly text?: string }];
    const text = typeof config === 'string' ? config : (config.text ?? '');
    for (const [schema] of text.matchAll(/coordinate_bench_\w+/g)) made.add(schema);
    return query.apply(this, sent);
  });
  onTestFinished(() => spy.mockRestore());
  const result = await queue.run('', ['bench', ...args], options);
  spy.mockRestore();
  return { ...result, made: [...made] };
}

/** Which of these schemas are there. */
const schemasOf = (names: readonly string[]) => queue.database.query('select nspname from pg_namespace where nspname = any($1)', [names]);

describe('bench', () => {
  test('measures, and removes what it has made', async () => {
    const { output, errors, status, made } = await bench(['--units', '300', '--connections', '2', '--batch', '50', '--json']);
    expect([status, errors]).toEqual([0, '']);
    expect(JSON.parse(output)).toEqual([
      { step: 'add', units: 300, ms: expect.any(Number), perSecond: expect.any(Number) },
      { step: 'claim and finish', units: 300, ms: expect.any(Number), perSecond: expect.any(Number) },
    ]);
    expect(made).toContainEqual(expect.stringMatching(/^coordinate_bench_[0-9a-f]{12}$/));
    expect(await schemasOf(made)).toEqual([]);
  });

  test('removes it on Ctrl-C too', async () => {
    const signal = AbortSignal.abort(new InterruptedError('SIGINT'));
    const { status, made } = await bench([], { signal });
    expect(status).toBe(130);
    expect(made).not.toEqual([]);
    expect(await schemasOf(made)).toEqual([]);
  });

  test('as a process', async () => {
    const { status, output } = await queue.process('', ['bench', '--units', '10']);
    expect(status).toBe(0);
    expect(output).toMatch(/^step +units +time +per second\nadd +10 +[\d.]+ m?s +[\d,]+\nclaim and finish +10 +[\d.]+ m?s +[\d,]+\n$/);
  });
});

describe('completion', () => {
  test('of bash completes commands and options', async () => {
    const { output, status } = await runHere(['completion', 'bash']);
    expect(status).toBe(0);
    const complete = async (...words: string[]): Promise<string[]> => {
      const line = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _pg_coordinate; echo "\${COMPREPLY[@]}"`;
      return (await run('bash', ['-c', `${output}\n${line}`])).stdout.trim().split(' ');
    };
    expect(await complete('pg-coordinate', 'pr')).toEqual(['priority']);
    expect(await complete('pg-coordinate', 'add', '--pri')).toEqual(['--priority']);
    expect(await complete('pg-coordinate', 'flow', '--pr')).toEqual(['--prune']);
  });

  test('of zsh and fish names every command', async () => {
    const { output: helpText } = await runHere(['--help']);
    const names = [...helpText.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!).filter((name) => name !== 'help');
    expect(names.length).toBeGreaterThan(25);
    for (const shell of ['zsh', 'fish']) {
      const { output } = await runHere(['completion', shell]);
      for (const name of names) expect(output).toContain(name);
    }
  });

  test('as a process, and for shells that there are', async () => {
    expect((await queue.process('', ['completion', 'fish'])).output).toContain('complete -c pg-coordinate -n __fish_use_subcommand -f -a add ');
    expect(await runHere(['completion', 'bsh'])).toMatchObject({ status: 2, errors: expect.stringContaining('Did you mean bash?') });
  });
});
