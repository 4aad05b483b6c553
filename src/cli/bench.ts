import { randomBytes } from 'node:crypto';
import type { Command } from 'commander';
import { connect, drop, migrate } from '../core/connect.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import { wholeNumber } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { requirePostgres } from './connect-target.js';
import { countText, timeText } from './count-text.js';
import { Progress } from './progress.js';
import { addDatabaseOptions, readSettings, type CommonOptions } from './settings.js';
import { tableText } from './table.js';

interface BenchOptions extends CommonOptions {
  readonly units: number;
  readonly connections: number;
  readonly batch: number;
  readonly json: boolean;
}

interface Step {
  readonly step: string;
  readonly units: number;
  readonly ms: number;
}

export function addBenchCommand(program: Command, io: CommandIo): void {
  const command = program.command('bench').description('measure how fast this database adds, claims and finishes units, in a schema of its own that it removes again');
  addDatabaseOptions(command)
    .option('--units <number>', 'how many', wholeNumber(1, 100_000_000), 20_000)
    .option('--connections <number>', 'how many claim at the same time', wholeNumber(1, 1_000), 4)
    .option('--batch <number>', 'how many units a claim asks for', wholeNumber(1, 10_000), 100)
    .option('--json', 'print JSON', false)
    .action((options: BenchOptions) => bench(options, io));
}

async function bench(options: BenchOptions, io: CommandIo): Promise<void> {
  const settings = await readSettings(options, io);
  requirePostgres(settings, 'bench');
  const { connections, json } = options;
  const place = { schema: `coordinate_bench_${randomBytes(6).toString('hex')}`, environment: io.environment };
  const { database } = settings;
  try {
    await migrate(database, place);
    await using coordinate = await connect(database, { ...place, pool: { max: connections + 1 } });
    const steps = await measure(await coordinate.namespace('bench'), options, io);
    await io.stdout.line(json ? JSON.stringify(steps.map((step) => ({ ...step, perSecond: rate(step) })), null, 2) : stepsTable(steps));
  } finally {
    await drop(database, place);
  }
}

async function measure(namespace: Namespace, options: BenchOptions, io: CommandIo): Promise<Step[]> {
  const { units } = options;
  const spec = await namespace.setWorkSpec({ name: 'bench' });
  const progress = new Progress('units', { total: units * 2, output: io.stderr });
  try {
    const adding = performance.now();
    await spec.addWorkUnits(numbered(units, progress), { signal: io.signal });
    const added = performance.now();
    await workOff(spec, { options, io, progress });
    return [
      { step: 'add', units, ms: added - adding },
      { step: 'claim and finish', units, ms: performance.now() - added },
    ];
  } finally {
    progress.close();
  }
}

function* numbered(units: number, progress: Progress): Generator<{ name: string; data: { number: number } }> {
  for (let number = 0; number < units; number++) {
    progress.advance();
    yield { name: String(number).padStart(9, '0'), data: { number } };
  }
}

async function workOff(
  spec: WorkSpec,
  { options, io, progress }: { readonly options: BenchOptions; readonly io: CommandIo; readonly progress: Progress },
): Promise<void> {
  const { namespace } = spec;
  const work = async (index: number): Promise<void> => {
    const worker = await namespace.worker(`bench ${index}`);
    for (;;) {
      io.signal.throwIfAborted();
      const attempts = await worker.requestAttempts({ numberOfWorkUnits: options.batch });
      if (attempts.length === 0) return;
      await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
      progress.advance(attempts.length);
    }
  };
  await Promise.all(Array.from({ length: options.connections }, (_, index) => work(index)));
}

function rate({ units, ms }: Step): number {
  return Math.round((units / Math.max(ms, 1)) * 1_000);
}

function stepsTable(steps: readonly Step[]): string {
  const columns = [{ title: 'step' }, ...['units', 'time', 'per second'].map((title) => ({ title, right: true }))];
  return tableText(columns, steps.map((step) => [step.step, countText(step.units), timeText(step.ms), countText(rate(step))]));
}
