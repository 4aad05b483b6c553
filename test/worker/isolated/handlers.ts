/* Handlers that run in threads and processes of the tests. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { threadId } from 'node:worker_threads';
import { CborFloat, PythonTuple, Uuid } from '../../../src/codec/index.js';
import { LostLeaseError } from '../../../src/errors/index.js';
import type { IsolatedContext } from '../../../src/worker/isolated/host-run.js';
import { fail, reported, retry } from '../../../src/worker/verdict.js';

export default function echo({ data, name, key, number, workSpec }: IsolatedContext): object {
  return { data, name, key, number, workSpec };
}

/** What is special must be what it was; answers with as much of its own. */
export function special({ data }: IsolatedContext): object {
  if (!(data.uuid instanceof Uuid && data.tuple instanceof PythonTuple && data.date instanceof Date)) throw new Error('not as it was');
  return { ...data, float: new CborFloat(2) };
}

export const answers = ({ data }: IsolatedContext): unknown =>
  ({
    nothing: undefined,
    null: null,
    number: 5,
    retry: retry({ delayMs: 70, data: { half: true } }),
    'plain retry': retry(),
    fail: fail({ data: { bad: 1 }, error: new RangeError('too far') }),
    reported: reported(),
    function: () => 1,
  })[data.answer as string];

export function where(): object {
  return { pid: process.pid, threadId };
}

export function environment(): object {
  return { ...process.env };
}

export function throws({ data }: IsolatedContext): never {
  const cause = new TypeError('beneath');
  switch (data.what) {
    case 'error':
      throw Object.assign(new RangeError('too far', { cause }), { code: 'E_FAR', circular: globalThis });
    case 'coordinate error':
      throw new LostLeaseError();
    case 'long':
      throw new Error('x'.repeat(50_000));
    case 'circular cause': {
      const error = new Error('round and round');
      error.cause = error;
      throw error;
    }
    case 'getter':
      throw Object.defineProperty(new Error('in vain'), 'message', {
        get() {
          throw new Error('from the getter');
        },
      });
    case 'undefined':
      return nothingThrown();
    default:
      throw data.what;
  }
}

export async function reports({ progress, log }: IsolatedContext): Promise<object> {
  log.info('begins');
  await progress({ done: 1 });
  log.warn('goes on', { at: new Date(0), what: [1, 2] });
  log.error('cannot be data', { call: () => 1 });
  try {
    await progress({ done: 2 });
  } catch (error) {
    return { isLostLease: error instanceof LostLeaseError, name: (error as Error).name };
  }
  return {};
}

export async function untilAborted({ signal, log }: IsolatedContext): Promise<object> {
  log.info('waiting');
  if (!signal.aborted) await once(signal, 'abort');
  const reason = signal.reason as { code: string };
  return { code: reason.code, isError: signal.reason instanceof Error };
}

export async function rethrowsReason({ signal, log }: IsolatedContext): Promise<void> {
  log.info('waiting');
  await once(signal, 'abort');
  signal.throwIfAborted();
}

/** Computes, and never gives way to an event. */
export function computesForEver({ log }: IsolatedContext): void {
  log.info('computing', { pid: process.pid });
  for (;;);
}

export async function ignoresSignal({ log }: IsolatedContext): Promise<void> {
  log.info('waiting', { pid: process.pid });
  setInterval(() => undefined, 1_000);
  await new Promise(() => undefined);
}

/** Starts a process of its own, and computes. */
export async function startsProcess({ log }: IsolatedContext): Promise<void> {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
  await once(child, 'spawn');
  log.info('started', { pid: process.pid, child: child.pid });
  for (;;);
}

export function crashes({ data }: IsolatedContext): Promise<never> | never {
  switch (data.how) {
    case 'exit':
      process.exit(3);
      break;
    case 'signal':
      process.kill(process.pid, 'SIGSEGV');
      break;
    case 'memory': {
      const kept: unknown[] = [];
      for (;;) kept.push(new Array(10_000).fill(kept.length));
    }
    default:
      setImmediate(() => {
        throw new Error('nobody catches this');
      });
  }
  return new Promise(() => setInterval(() => undefined, 1_000));
}

/** Sends what no host would. */
export async function sendsNonsense(): Promise<never> {
  process.send!('nonsense');
  process.send!({ type: 'answered', run: 1, answer: Buffer.from('not CBOR') });
  return new Promise(() => setInterval(() => undefined, 1_000));
}

export const notAFunction = 5;

function nothingThrown(): never {
  // eslint-disable-next-line @typescript-eslint/only-throw-error
  throw undefined;
}
