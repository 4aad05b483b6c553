import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CborFloat, PythonTuple, Tagged, Uuid, type Namespace } from 'pg-coordinate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { transports, useBothTransports, type SameOptions } from './both-transports.js';

/*
 * Every command on a database and on a server in front of one: what they print and how they end is the same. As a process of its own runs
 * each command once for each exit code: nothing else it does depends on that, and to start a process takes longer than most commands.
 */

const { on, same } = useBothTransports('shop', fill);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pg-coordinate-transports-'));
  await writeFile(join(folder, 'flow.yaml'), 'letters: {priority: 4, then: parcels}\nnew: {weight: 7}\n');
  await writeFile(join(folder, 'units.csv'), 'name,city\nc1,Köln\nc2,\n');
  await writeFile(
    join(folder, 'handlers.mjs'),
    'export const handlers = { squares: { run: ({ name }) => { if (name === "3") throw new Error("not this one"); return { square: Number(name) ** 2 }; }, retry: { limit: 0 } } };',
  );
});
afterAll(() => rm(folder, { recursive: true }));

const values = {
  null: null, float: new CborFloat(1), big: 2n ** 63n, bigger: new Tagged(2, new Uint8Array(12).fill(7)), bytes: new Uint8Array([0, 255]),
  date: new Date('2020-01-01T00:00:00.123Z'), uuid: new Uuid(new Uint8Array(16).fill(9)), tuple: new PythonTuple(['x', 2n ** 60n]), map: new Map([[1, 'one']]),
};

async function fill(namespace: Namespace): Promise<void> {
  const letters = await namespace.setWorkSpec({ name: 'letters', priority: 3, then: 'parcels', values });
  await namespace.setWorkSpec({ name: 'parcels', disabled: true });
  await namespace.setWorkSpec({ name: 'two words' });
  await letters.addWorkUnits([
    ...['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, data: { of: name } })),
    { name: 'values', data: values },
    { name: Buffer.from([0xff, 0]), data: {}, meta: { priority: -1 } },
    { name: 'later', data: {}, meta: { notBefore: new Date('2999-01-01T00:00:00Z') } },
  ]);
  const worker = await namespace.worker('w1');
  await worker.update({ data: { load: 1 }, mode: 'testing' });
  await worker.setParent(await namespace.worker('parent'));
  const [a, b, c] = await worker.requestAttempts({ numberOfWorkUnits: 4 });
  await a?.fail({ error: { name: 'Error', message: 'broken, "really"', stack: 'Error: broken\n    at work (jobs.js:1:1)' } });
  await b?.finish({ ...values, output: { made: { from: 'b' } } });
  await c?.retry({ try: 1 });
  // Its time would be another one each time.
  await c?.workUnit.setMeta({});
  await (await namespace.worker('idle')).deactivate();
}

/** A command line, how it ends, and something that it says. */
type Step = readonly [args: string, status: number, says: string | RegExp, options?: SameOptions];

/** The commands that have been run as processes, with the exit codes they are to end with. */
const asProcesses = new Set<string>();

/** Whether there was a process of the kind; `work` starts processes itself, and imports what it is given. */
function isRunHere(command: string, status: number): boolean {
  const kind = `${command} ${status}`;
  const isKnown = asProcesses.has(kind);
  asProcesses.add(kind);
  return isKnown && command !== 'work';
}

function steps(list: readonly Step[]): void {
  const all = list.map(([args, status, says, options]) => ({ args, status, says, options: { ...options, here: isRunHere(args.split(' ')[0]!, status) } }));
  test.each(all)('$args', async ({ args, status, says, options }) => {
    const words = (args.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replaceAll("'", '').replace('FOLDER', folder));
    const result = await same(words, options);
    expect(result).toMatchObject({ status, [status === 0 || status === 3 ? 'output' : 'errors']: typeof says === 'string' ? expect.stringContaining(says) : expect.stringMatching(says) });
    // Errors are one sentence, and nothing else is said.
    if (status === 1 || status === 2) expect(result).toMatchObject({ output: '', errors: expect.stringMatching(/^pg-coordinate: [^\n]+\n$/) });
  });
}

describe('looking', () => {
  steps([
    ['specs', 0, /^letters +no +3 +20 +- +parcels +4 +1 +1 +1 +1$/m],
    ['specs --json', 0, '"name":"two words"'],
    ['specs --limit 1 --csv', 0, /^letters,false,3/m],
    ['units letters', 0, /^hex:ff00 +available +-1/m],
    ['units letters --data --json', 0, '"big":{"$bigint":"9223372036854775808"}'],
    ['units letters hex:ff00 b none --csv', 0, /^name,status,priority,not before\nb,finished,0,\nhex:ff00,available,-1,\n$/],
    ['units letters --status failed,pending', 0, /^a +failed[\s\S]*^d +pending/m],
    ['units letters --limit 2', 0, /^b +finished/m],
    ['units letters --after c --limit 1', 0, /^d +pending/m],
    ['attempts letters a', 0, /^ +\d+ +failed +w1 +<time>/m],
    ['attempts --worker w1 --data --json', 0, '"try":1'],
    ['attempts --worker w1 --limit 1 --csv', 0, 'letters,a,'],
    ['workers', 0, /^w1 +yes +testing +parent/m],
    ['workers --active --data --json', 0, '"data":{"load":1}'],
    ['show letters', 0, 'letters: not paused, priority 3, weight 20'],
    ['show letters --json', 0, '"available": 4'],
    ['show letters a', 0, 'broken'],
    ['show letters values --json', 0, '"$tuple"'],
    ['show letters later', 0, 'delayed'],
    ['show parcels made', 0, 'its work spec is paused'],
    ['summary', 0, /^shop +letters +4 +1 +1 +1 +1$/m],
    ['summary --json', 0, '"workSpec": "letters"'],
    ['failed', 0, /^1 unit: Error: broken, "really"$/m],
    ['failed letters --json', 0, '"count": 1'],
    ['--version', 0, /^\d+\.\d+\.\d+\n$/],
    ['--help', 0, 'Commands:'],
    ['help units', 0, 'Usage: pg-coordinate units'],
    ['completion fish', 0, 'complete'],
  ]);

  test('summary --watch and top, until Ctrl-C', async () => {
    const until = (output: string): boolean => output.split('letters').length > 2;
    for (const args of [['summary', '--watch', '20ms'], ['top', '--period', '20ms']]) {
      const [first, second] = await Promise.all(transports.map((transport) => on(transport, args, { until })));
      for (const { status, errors } of [first!, second!]) expect([status, errors]).toEqual([0, '']);
      const head = ({ output }: { output: string }): string => output.split('\n').slice(0, 5).join('\n').replaceAll(/ +[\d.]+ (?:m?s|min.*)$/gm, ' <time>').replaceAll(/oldest|-+$/gm, '').replaceAll(/ +/g, ' ');
      expect(head(second!)).toBe(head(first!));
    }
  });
});

describe('export and import', () => {
  test('come to the same bytes, from each transport to each', async () => {
    const [archive, other] = await Promise.all(transports.map((transport) => on(transport, ['export'])));
    expect([archive!.status, archive!.errors]).toEqual([0, '']);
    // Both queues hold the same, values, binary names and history.
    expect(other!.bytes.equals(archive!.bytes)).toBe(true);
    await writeFile(join(folder, 'shop.cbor'), archive!.bytes);
    await Promise.all(
      transports.flatMap((from) =>
        transports.map(async (to) => {
          const namespace = `from ${from}`;
          const input = from === 'postgres' ? archive!.bytes : other!.bytes;
          expect(await on(to, ['import'], { namespace, input })).toMatchObject({ status: 0, errors: '', output: expect.stringMatching(/^\d work specs? and \d+ units imported/) });
          const again = await on(to, ['export'], { namespace });
          expect(again.bytes.equals(archive!.bytes)).toBe(true);
        }),
      ),
    );
  });

  test('by files', async () => {
    expect(await same(['import', join(folder, 'shop.cbor')], { namespace: 'by file' })).toMatchObject({ status: 0, errors: '' });
    expect(await same(['import', join(folder, 'shop.cbor')], { namespace: 'by file' })).toMatchObject({ status: 1, errors: expect.stringMatching('has work specs already') });
    for (const transport of transports) {
      const file = join(folder, `${transport}.cbor`);
      expect(await on(transport, ['export', file], { namespace: 'by file' })).toMatchObject({ status: 0, errors: '' });
      expect(await on(transport, ['export', file], { namespace: 'by file' })).toMatchObject({ status: 2, output: '' });
    }
  });
});

describe('steering', () => {
  steps([
    ['add letters x1 hex:00 --priority 2', 0, /^2 units added to letters in <time>\.\n$/],
    ['add letters -', 0, '3 units added', { input: 'l1\nhex:ff01\nl3\n' }],
    ['add letters - --format jsonl', 0, '2 units added', { input: '"j1"\n["j2", {"a": 1}, {"delay": 3600}]\n' }],
    ['add letters --file FOLDER/units.csv', 0, '2 units added'],
    ['add letters - --format jsonl', 1, 'line 2 is not JSON: ', { input: '"j3"\n{\n' }],
    ['add letters - --data {"kept":true} --delay 2h', 0, '1 unit added', { input: 'delayed' }],
    ['units letters --all --data --csv', 0, /^j2,delayed,0,<time>,"\{""a"":1\}"$/m],
    ['pause letters parcels', 0, 'letters is paused.\nparcels is paused already.\n'],
    ['resume --all', 0, 'letters is running.\n'],
    ['weight letters 5', 0, 'The weight of letters is 5; it was 20.\n'],
    ['priority letters 1 --by', 0, 'The priority of letters is 4; it was 3.\n'],
    ['priority letters 9 x1 l1', 0, 'The priority of 2 work units of letters is 9.\n'],
    ['retry letters --all', 2, 'retry makes 1 failed work unit of letters available again; without a terminal to ask on, give --yes'],
    ['retry letters --all --yes', 0, '1 unit made available again.\n'],
    ['fail letters x1 l1 --reason unwanted --yes', 0, '2 units declared failed.\n'],
    ['cancel letters --all --yes', 0, '1 unit stopped.\n'],
    ['delete letters l1 hex:ff01 none --yes', 0, '2 units deleted.\n'],
    ['delete letters --status delayed', 2, 'give --yes'],
    ['flow FOLDER/flow.yaml --dry-run', 3, 'new'],
    ['flow FOLDER/flow.yaml --json', 0, '"new"'],
    ['flow FOLDER/flow.yaml', 0, ''],
    ['flow - --prune', 2, 'give --yes', { input: 'letters: {then: parcels}' }],
    ['flow - --prune --yes', 0, 'two words', { input: 'letters: {then: parcels}\nparcels: {}' }],
    ['clear parcels', 2, 'give --yes'],
    ['clear parcels --yes', 0, 'parcels'],
    ['specs', 0, /^letters +no/m],
    ['flow -', 0, 'squares', { input: 'squares: {}', namespace: 'work' }],
    ['add squares 1 2 3', 0, '3 units added', { namespace: 'work' }],
    ['work FOLDER/handlers.mjs --units 1', 0, 'squares: 1 finished, 0 failed, 2 available\n', { namespace: 'work' }],
    ['work FOLDER/handlers.mjs --once --processes 2', 0, 'squares: 2 finished, 1 failed, 0 available\n', { namespace: 'work' }],
    ['clear --yes', 0, '', { namespace: 'work' }],
  ]);
});

describe('wrong usage', () => {
  steps([
    ['unit letters', 2, "unknown command 'unit' (Did you mean units?)"],
    ['frobnicate', 2, "unknown command 'frobnicate'; pg-coordinate --help lists those there are"],
    ['units', 2, "missing required argument 'spec'"],
    ['units letters --jsn', 2, "unknown option '--jsn' (Did you mean --json?)"],
    ['units letters --status done', 2, 'done'],
    ['units letters --limit many', 2, 'whole number'],
    ['units letters --json --csv', 2, 'give --json or --csv, not both'],
    ['units leters', 1, 'There is no work spec leters in the namespace shop (did you mean letters?)'],
    ['specs', 1, 'There is no namespace shpo (did you mean shop?)', { namespace: 'shpo' }],
    ['show letters nothing', 1, 'There is no work unit nothing in the work spec letters'],
    ['attempts letters', 2, 'name a work spec and a unit of it'],
    ['attempts --worker nobody', 1, 'nobody'],
    ['add letters', 2, 'name the units'],
    ['add leters x', 1, 'did you mean letters?'],
    ['add letters --file FOLDER/none.csv', 2, 'cannot be read'],
    ['pause', 2, 'name the work specs, or give --all'],
    ['pause letter', 1, 'did you mean letters?'],
    ['weight letters heavy', 2, 'heavy'],
    ['retry letters', 2, 'name the units, or say which with --status, or --all'],
    ['fail letters', 2, 'name the units'],
    ['cancel letters', 2, 'name the units'],
    ['delete letters a --all', 2, 'not both'],
    ['flow FOLDER/none.yaml', 2, 'none.yaml'],
    ['flow -', 2, 'standard input is not YAML', { input: 'letters: [' }],
    ['work FOLDER/none.mjs', 2, 'none.mjs'],
    ['failed nowhere', 1, 'There is no work spec nowhere'],
    ['export FOLDER/no/such/folder', 2, 'cannot be written'],
    ['import', 1, 'Standard input is no export of pg-coordinate, or is damaged', { input: 'name,a\n', namespace: 'fresh' }],
    ['top --sort rat', 2, 'Did you mean rate?'],
    ['completion csh', 2, 'csh'],
    ['summary --watch soon', 2, 'soon'],
    ['token new --name n --role king', 2, 'king'],
  ]);
});

describe('what is about the database itself', () => {
  const commands = [['migrate'], ['drop'], ['doctor'], ['bench', '--units', '100']];
  test.each(commands)('%s works there, and says so elsewhere', async (command, ...args) => {
    const [database, elsewhere] = await Promise.all(transports.map((transport) => on(transport, [command, ...args])));
    expect(elsewhere).toMatchObject({
      status: 2,
      output: '',
      errors: `pg-coordinate: ${command} is about the database itself: give its postgres:// address as --database, not one of http://\n`,
    });
    const ends: Record<string, readonly [status: number, output: RegExp, errors: RegExp]> = {
      migrate: [0, /^The tables in the schema "\w+" are up to date\.\n$/, /^$/],
      drop: [2, /^$/, /without a terminal to ask on, give --yes\n$/],
      // fsync is off on purpose on the server that the tests run on.
      doctor: [3, /^ok {2}server version\n[\s\S]*\d+ problems?, \d+ warnings?\.\n$/, /^$/],
      bench: [0, /claim/, /^$/],
    };
    const [status, output, errors] = ends[command]!;
    expect(database).toMatchObject({ status, output: expect.stringMatching(output), errors: expect.stringMatching(errors) });
  });
});
