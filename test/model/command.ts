import { show } from './compare.js';
import type { Side } from './side.js';
import { errorView } from './view.js';

/** One step of a sequence. */
export type Command = Operation | ClockStep;

/** An operation that runs on both sides. */
export interface Operation {
  readonly kind: 'operation';
  /** Reports on attempts only: nothing that looks, so that what is overdue stays so, and a late worker can still win. */
  readonly isReport: boolean;
  /** As it would be written in code. */
  toString(): string;
  /** Resolves to a value that `difference` can compare; never rejects. */
  run(side: Side): Promise<unknown>;
}

/** The clock, which both sides share, moves on. */
export interface ClockStep {
  readonly kind: 'clock-step';
  readonly ms: number;
  toString(): string;
}

/** How a command finds the object that it is about. */
export interface Ref<T> {
  readonly text: string;
  resolve(side: Side): Promise<T>;
}

/** An operation of its own making. */
export function operation(text: string, run: (side: Side) => Promise<unknown>, isReport = false): Operation {
  return {
    kind: 'operation',
    isReport,
    toString: () => text,
    run: (side) => run(side).catch((error: unknown) => (error instanceof NothingToDo ? 'nothing to do' : errorView(error))),
  };
}

/** Thrown by an operation that has no object to work on yet, such as an attempt. */
export class NothingToDo extends Error {}

type Method = (...args: never[]) => Promise<unknown>;
type MethodsOf<T> = { [K in keyof T]: T[K] extends Method ? K : never }[keyof T] & string;
type ArgumentsOf<T, K extends keyof T> = T[K] extends (...args: infer Arguments) => Promise<unknown> ? Arguments : never;
type ResultOf<T, K extends keyof T> = T[K] extends (...args: never[]) => Promise<infer Result> ? Result : never;

/** An operation that is one call of a method; `view` makes its result comparable. */
export function call<T, K extends MethodsOf<T>>(
  ref: Ref<T>,
  method: K,
  args: ArgumentsOf<T, K>,
  view: (result: ResultOf<T, K>, target: T) => unknown = () => undefined,
): Operation {
  const text = `${ref.text}.${method}(${showArguments(args)})`;
  return operation(text, async (side) => {
    const target = await ref.resolve(side);
    const run = target[method] as (...args: unknown[]) => Promise<ResultOf<T, K>>;
    return view(await run.apply(target, args as unknown[]), target);
  });
}

/** Arguments as in code; the last ones are left out when they are undefined. */
export function showArguments(args: readonly unknown[]): string {
  const given = args.findLastIndex((arg) => arg !== undefined) + 1;
  return args.slice(0, given).map(show).join(', ');
}
