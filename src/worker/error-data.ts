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
  if (!safely(() => thrown instanceof Error, false)) return { name: 'Error', message: cut(describe(thrown), longestMessage) };
  const error = thrown as Error;
  const text = (read: () => unknown, otherwise: string): string => {
    const value = safely(read, otherwise);
    return typeof value === 'string' ? value : otherwise;
  };
  const code = safely(() => (error as { readonly code?: unknown }).code, undefined);
  const cause = safely(() => error.cause, undefined);
  return {
    name: cut(text(() => error.name, 'Error'), longestName),
    message: cut(text(() => error.message, ''), longestMessage),
    stack: cut(text(() => error.stack, ''), longestStack),
    ...(typeof code === 'string' && { code: cut(code, longestName) }),
    ...(typeof code === 'number' && { code }),
    ...(cause !== undefined && depth < deepestCause && { cause: errorData(cause, depth + 1) }),
  };
}

/** Getters, proxies and the like may throw as well. */
function safely<T>(read: () => T, otherwise: T): T {
  try {
    return read();
  } catch {
    return otherwise;
  }
}

/** Something that is no error but was thrown. */
function describe(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown;
  return (
    safely(() => JSON.stringify(thrown) as string | undefined, undefined) ??
    safely(() => String(thrown), undefined) ??
    safely(() => Object.prototype.toString.call(thrown), 'something that cannot be shown')
  );
}

/** At a whole character, as what is stored must be well-formed. */
function cut(text: string, longest: number): string {
  const kept = text.length <= longest ? text : `${text.slice(0, longest - 1)}…`;
  return kept.toWellFormed();
}
