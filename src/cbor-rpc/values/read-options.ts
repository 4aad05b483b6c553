import { InvalidArgumentError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';
import type { ReadValue } from './read-value.js';

/** The options that were given; nil counts as not given. */
export type Options<Readers> = {
  readonly [Key in keyof Readers]?: Readers[Key] extends ReadValue<infer T> ? T : never;
};

/**
 * Reads a map of options: keys match whatever their case, unknown ones are ignored.
 * @throws InvalidArgumentError for a value of the wrong type.
 */
export function readOptions<Readers extends Readonly<Record<string, ReadValue<unknown>>>>(
  value: unknown,
  readers: Readers,
): Options<Readers> {
  const options: Record<string, unknown> = {};
  for (const [key, member] of membersOf(value)) {
    const name = typeof key === 'string' ? key.toLowerCase() : '';
    if (member !== null && Object.hasOwn(readers, name)) options[name] = readers[name]?.(member, name);
  }
  return options as Options<Readers>;
}

function membersOf(value: unknown): Iterable<[unknown, unknown]> {
  if (value === null) return [];
  if (value instanceof Map) return value;
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) return Object.entries(value);
  throw new InvalidArgumentError('options', `must be a map, not ${kindOf(value)}`);
}
