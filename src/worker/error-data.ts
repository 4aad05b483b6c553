import type { DataDictionary } from '../codec/index.js';

const longestMessage = 10_000;
const longestStack = 20_000;
const longestName = 200;
/** How many causes of causes are kept. */
const deepestCause = 3;

/**
 * An error as data of an attempt: name, message, stack, code, cause. Whatever was thrown, this is text of bounded size: nothing
 * circular, no objects that the error carries.
 */
export function errorData(thrown: unknown, depth = 0): DataDictionary {
  if (!(thrown instanceof Error)) return { name: 'Error', message: cut(describe(thrown), longestMessage) };
  const { code, cause } = thrown as { readonly code?: unknown; readonly cause?: unknown };
  return {
    name: cut(textOf(() => thrown.name, 'Error'), longestName),
    message: cut(textOf(() => thrown.message, ''), longestMessage),
    stack: cut(textOf(() => thrown.stack, ''), longestStack),
    ...((typeof code === 'string' || typeof code === 'number') && { code: typeof code === 'string' ? cut(code, longestName) : code }),
    ...(cause !== undefined && depth < deepestCause && { cause: errorData(cause, depth + 1) }),
  };
}

/** Getters may throw as well. */
function textOf(read: () => unknown, otherwise: string): string {
  try {
    const value = read();
    return typeof value === 'string' ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/** Something that is no error but was thrown. */
function describe(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  try {
    return JSON.stringify(thrown) ?? String(thrown);
  } catch {
    return Object.prototype.toString.call(thrown);
  }
}

/** At a whole character, as what is stored must be well-formed. */
function cut(text: string, longest: number): string {
  const kept = text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
  return kept.toWellFormed();
}
