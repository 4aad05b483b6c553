import type { Command } from 'commander';
import type { Namespace } from '../core/namespace/namespace.js';
import { duration, oneOf } from './argument-values.js';
import type { CommandIo } from './command-io.js';
import { Keys } from './keys.js';
import { openNamespace } from './open-namespace.js';
import { Screen } from './screen.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { readTop, sortOrders, topText, type SortOrder, type TopState } from './top-view.js';

interface TopOptions extends CommonOptions {
  readonly period: number;
  readonly sort: SortOrder;
}

const defaultPeriodMs = 2_000;

const help = `
Keys: arrows or j and k choose a work spec; p pauses it, or lets it run again; s sorts by the next column; q ends.
time left is at the present rate; oldest is for how long a unit has been waiting, of those next and those last in turn.
Without a terminal it prints the same again and again, until it is told to end.`;

export function addTopCommand(program: Command, io: CommandIo): void {
  const command = program.command('top').description('watch the work specs of a namespace: units, rates, time left, workers; with keys to pause and sort');
  addNamespaceOptions(command)
    .option('--period <time>', 'how often to look', duration, defaultPeriodMs)
    .option('--sort <column>', `by ${sortOrders.join(', ')}`, oneOf(sortOrders), 'name')
    .addHelpText('after', help)
    .action(async (options: TopOptions) => {
      await using open = await openNamespace(options, io);
      await runTop(open.namespace, options, io);
    });
}

async function runTop(namespace: Namespace, { period, sort }: TopOptions, io: CommandIo): Promise<void> {
  const screen = new Screen(io.stdout);
  const keys = new Keys(io);
  let state: TopState = { sort, chosen: 0, message: '', top: null };
  let dueAt = 0;
  try {
    for (;;) {
      if (performance.now() >= dueAt) {
        state = { ...state, top: await readTop(namespace, state.top) };
        dueAt = performance.now() + period;
      }
      await screen.draw(topText(state, io.stdout));
      const key = await keys.next(dueAt - performance.now());
      if (key === 'q') return;
      if (key !== null) state = await afterKey(key, state, namespace);
    }
  } catch (error) {
    // Ctrl-C is how it ends.
    if (!io.signal.aborted) throw error;
  } finally {
    keys.close();
    await screen.close();
  }
}

async function afterKey(key: string, state: TopState, namespace: Namespace): Promise<TopState> {
  const last = Math.max(0, (state.top?.specs.length ?? 0) - 1);
  switch (key) {
    case 'up':
      return { ...state, chosen: Math.max(0, state.chosen - 1), message: '' };
    case 'down':
      return { ...state, chosen: Math.min(last, state.chosen + 1), message: '' };
    case 's': {
      const sort = sortOrders[(sortOrders.indexOf(state.sort) + 1) % sortOrders.length] ?? 'name';
      return { ...state, sort, message: `sorted by ${sort}` };
    }
    case 'p':
      return togglePause(state, namespace);
    default:
      return state;
  }
}

async function togglePause(state: TopState, namespace: Namespace): Promise<TopState> {
  const row = state.top?.sorted(state.sort)[state.chosen];
  if (state.top === null || row === undefined) return state;
  const spec = await namespace.workSpec(row.name);
  const paused = !(await spec.meta()).paused;
  await spec.setMeta({ paused });
  return { ...state, top: state.top.withPaused(row.name, paused), message: `${row.name} is ${paused ? 'paused' : 'running'}` };
}
