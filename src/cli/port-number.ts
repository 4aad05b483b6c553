import { InvalidArgumentError } from 'commander';

/** A TCP port; 0 stands for a free one. */
export function portNumber(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new InvalidArgumentError('It must be a whole number from 0 to 65535.');
  return Number(text);
}
