import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { testDatabase } from '../support/database.js';
import { compiledProgram } from '../support/programs.js';
import { countIndependently } from './independent-count.js';

const database = await testDatabase();
const source = new URL('main.ts', import.meta.url);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-example-'));
  await mkdir(join(folder, 'empty'));
  await mkdir(join(folder, 'texts', 'über'), { recursive: true });
  await mkdir(join(folder, 'texts', 'node_modules'));
  for (let index = 0; index < 60; index++) {
    await writeFile(join(folder, 'texts', index % 3 === 0 ? 'über' : '', `text ${index}.md`), textOf(index));
  }
  await writeFile(join(folder, 'texts', 'empty.txt'), '');
  await writeFile(join(folder, 'texts', 'picture.png'), 'no text');
  await writeFile(join(folder, 'texts', 'node_modules', 'README.md'), 'of somebody else');
});
afterAll(() => rm(folder, { recursive: true }));

function textOf(index: number): string {
  const words = Array.from({ length: 50 + index }, (_, position) => ['the', 'Thé', 'constructor', '__proto__', `x${'y'.repeat((index * position) % 90)}`][position % 5]);
  return `# ${words.join(' ')}\n\nSee [one](https://host${index % 7}.example/a(b)) and <http://EXAMPLE.org/${index}>.\nhttps:// is none.\n`;
}

interface Run {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
}

/** In TypeScript, as `npm start` runs it. */
const asItIs = ['--import', import.meta.resolve('tsx'), fileURLToPath(source)];

async function run(
  args: readonly string[],
  { whenHeard, program = [compiledProgram(source)] }: { whenHeard?: { text: string; signal: NodeJS.Signals }; program?: readonly string[] } = {},
): Promise<Run> {
  const child = spawn(process.execPath, [...program, ...args, '--schema', database.schema], {
    env: { ...process.env, DATABASE_URL: database.url },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let [output, errors] = ['', ''];
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (whenHeard !== undefined && output.includes(whenHeard.text)) child.kill(whenHeard.signal);
  });
  const [status] = await once(child, 'close');
  return { status, output, errors };
}

async function expectNoNamespaceLeft(): Promise<void> {
  await using coordinate = await database.connect();
  expect(await coordinate.namespaces()).toEqual([]);
}

describe('the result is that of counting one file after the other', () => {
  test.each([
    ['with one worker', ['--workers', '1']],
    ['with four workers', []],
    ['with four workers of which one is killed', ['--kill-one']],
    ['with three workers over HTTP of which one is killed', ['--workers', '3', '--kill-one', '--via-http']],
  ])('%s', async (_how, args) => {
    const { status, output, errors } = await run([join(folder, 'texts'), '--json', ...args]);
    expect(status, errors).toBe(0);
    expect(JSON.parse(output)).toEqual(await countIndependently(join(folder, 'texts')));
    expect(errors.includes('was killed by SIGKILL')).toBe(args.includes('--kill-one'));
    await expectNoNamespaceLeft();
  });
});

const numbersIn = (text: string, pattern: RegExp): number[] => [...text.matchAll(pattern)].map(([, digits]) => Number(digits));
const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

test('it tells the result, and who did what', async () => {
  // Nobody is killed, so no lease ends: not even on a machine that stands still for a while.
  const { status, output } = await run([join(folder, 'texts'), '--workers', '2', '--lease-seconds', '60'], { program: asItIs });
  expect(status).toBe(0);
  expect(output).toMatch(/^61 text files in /);
  expect(output).toMatch(/^ +60 {2}example\.org$/m);
  expect(output).toMatch(/^count +61 +0 +61 +0 +\d+\.\d$/m);
  // One of them may have done everything before the other was there.
  const done = numbersIn(output, /^worker [12] +(\d+) +0$/gm);
  expect(done.length).toBeGreaterThan(0);
  expect(sum(done)).toBe(sum(numbersIn(output, /^(?:count|merge|report) +\d+ +0 +(\d+) +0 /gm)));
});

test('an empty folder is no work', async () => {
  expect(await run([join(folder, 'empty')])).toMatchObject({ status: 0, output: expect.stringContaining('nothing to do') });
});

test.each([
  ['a folder that is not there', ['/nowhere/at/all'], 'Failed: there is no folder /nowhere/at/all\n'],
  ['an unknown option', ['--kill-two'], "Failed: Unknown option '--kill-two'; npm start -- --help tells the options\n"],
  ['too short a lease', ['--lease-seconds', '0'], 'Failed: --lease-seconds must be from 1 to 3600\n'],
  ['too few workers to kill one', ['--kill-one', '--workers', '1'], 'Failed: --kill-one needs another worker that goes on: give --workers 2 or more\n'],
])('%s is refused in one sentence', async (_what, args, sentence) => {
  expect(await run(args)).toEqual({ status: 1, output: '', errors: sentence });
});

test('Ctrl-C ends it and leaves nothing', async () => {
  const { status, errors } = await run([join(folder, 'texts')], { whenHeard: { text: 'share the work', signal: 'SIGINT' } });
  expect({ status, errors }).toEqual({ status: 130, errors: '' });
  await expectNoNamespaceLeft();
});
