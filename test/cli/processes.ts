import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { onTestFinished } from 'vitest';

export interface ProcessResult {
  readonly status: number | null;
  readonly output: string;
  readonly errors: string;
  readonly bytes: Buffer;
}

export interface ProcessOptions {
  readonly environment: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array;
  /** Is told all of the output so far; true: that is enough, and the command gets Ctrl-C. */
  readonly until?: (output: string) => boolean;
  /** Whether whoever reads the output goes away after its first piece. */
  readonly closeEarly?: boolean;
}

/** Runs a program as a process, without a terminal. */
export async function runProcess(program: string, args: readonly string[], { environment, input, until, closeEarly }: ProcessOptions): Promise<ProcessResult> {
  const inherited = Object.entries(process.env).filter(([name]) => name !== 'DATABASE_URL' && !name.startsWith('PG'));
  const child: ChildProcessWithoutNullStreams = spawn(process.execPath, [program, ...args], {
    // From Node 22 on it keeps there what it has compiled, which makes the next one start sooner.
    env: { ...Object.fromEntries(inherited), HOME: '/nonexistent', NODE_COMPILE_CACHE: `${program}.cache`, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const chunks: Buffer[] = [];
  let [errors, isInterrupted] = ['', false];
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    if (closeEarly === true) child.stdout.destroy();
    if (isInterrupted || until?.(Buffer.concat(chunks).toString()) !== true) return;
    isInterrupted = true;
    child.kill('SIGINT');
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const [status] = (await once(child, 'close')) as [number | null];
  const bytes = Buffer.concat(chunks);
  return { status, output: bytes.toString(), errors, bytes };
}
