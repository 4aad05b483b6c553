/*
 * The other end of processes.ts: what a process of a test runs. Messages travel over the channel that fork() makes.
 */

/** What a program can be told to do, by name; argument and result must be what structuredClone takes. */
export type Tasks = Readonly<Record<string, (argument: never) => Promise<unknown>>>;

export interface Request {
  readonly id: number;
  readonly task: string;
  readonly argument: unknown;
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  | { readonly told: unknown };

/** Runs the tasks that the test asks for, until the test kills this process or ends. */
export function serveTasks(tasks: Tasks): void {
  process.on('disconnect', () => process.exit());
  process.on('message', ({ id, task, argument }: Request) => {
    const run = tasks[task] as ((argument: unknown) => Promise<unknown>) | undefined;
    if (run === undefined) throw new Error(`no task ${task}`);
    run(argument).then(
      (value) => send({ id, value }),
      (error: unknown) => send({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
    );
  });
  tell('ready');
}

/** Tells the test something while a task is running. */
export function tell(told: unknown): void {
  send({ told });
}

function send(reply: Reply): void {
  process.send?.(reply);
}
