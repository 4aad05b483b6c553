/*
 * The program of a host: a thread or process that runs one handler on one unit at a time, as running-host.ts tells it.
 */
import { encodeAnswer } from './answer.js';
import { encodeThrown } from './carried-error.js';
import type { ToHost } from './host-messages.js';
import { openHostPort } from './host-port.js';
import { HostRun, type IsolatedContext } from './host-run.js';

type IsolatedFunction = (context: IsolatedContext) => unknown;
type Loaded = { readonly call: IsolatedFunction } | { readonly problem: string };

const port = openHostPort();
let loading: Promise<Loaded> | undefined;
let current: HostRun | undefined;

port.listen((message) => {
  if (message.type === 'load') loading = load(message.module, message.exportName);
  else if (message.type === 'run') void start(message);
  else if (message.run === current?.run) current.take(message);
});

async function load(module: string, exportName: string): Promise<Loaded> {
  let exported: Readonly<Record<string, unknown>>;
  try {
    exported = (await import(module)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return { problem: `the module ${module} cannot be loaded: ${error instanceof Error ? error.message : String(error)}` };
  }
  const call = exported[exportName];
  if (typeof call === 'function') return { call: call as IsolatedFunction };
  const names = Object.keys(exported).filter((name) => typeof exported[name] === 'function');
  return { problem: `the module ${module} exports no function "${exportName}"; its functions are ${names.join(', ') || 'none'}` };
}

async function start(message: Extract<ToHost, { type: 'run' }>): Promise<void> {
  const { run } = message;
  try {
    // Before loading, as the signal may fire meanwhile.
    current = new HostRun(message, port);
    const loaded = (await loading) ?? { problem: 'no module was named' };
    if ('problem' in loaded) {
      port.send({ type: 'unloadable', run, problem: loaded.problem });
      return;
    }
    const answer = await loaded.call(current.context);
    port.send({ type: 'answered', run, answer: encodeAnswer(answer) });
  } catch (error) {
    port.send({ type: 'threw', run, error: encodeThrown(error) });
  } finally {
    current = undefined;
  }
}
