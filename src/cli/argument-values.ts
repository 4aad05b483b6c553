import { InvalidArgumentError } from 'commander';
import { isClose } from '../options/index.js';

/** Reads a whole number within bounds. */
export function wholeNumber(least = 0, most = Number.MAX_SAFE_INTEGER): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= least && value <= most) return value;
    const bounds = most === Number.MAX_SAFE_INTEGER || most === 999_999 ? `from ${least} on` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`It must be a whole number ${bounds}.`);
  };
}

/** Reads any finite number. */
export function anyNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

const units = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Reads a duration such as `90s`, `15m`, `2h`, `1d` (a number alone is in seconds); resolves to milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  if (match === null) throw new InvalidArgumentError('It must be a time such as 90s, 15m, 2h or 1d.');
  return Number(match[1]) * units[(match[2] ?? 's') as keyof typeof units];
}

/** Reads one of some words; suggests the right one. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    const close = words.find((word) => isClose(word, text));
    throw new InvalidArgumentError(close === undefined ? `It must be one of ${words.join(', ')}.` : `Did you mean ${close}?`);
  };
}

/** Reads words separated by commas, and given more than once, each one of some. */
export function someOf<Word extends string>(words: readonly Word[]): (text: string, before?: readonly Word[]) => Word[] {
  const read = oneOf(words);
  return (text, before = []) => [...new Set([...before, ...text.split(',').map((word) => read(word.trim()))])];
}

/** Reads an option that may be given more than once. */
export function listed(text: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), text];
}
