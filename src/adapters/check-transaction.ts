import { InvalidArgumentError } from '../errors/index.js';
import { kindOf } from '../options/index.js';

/** Refuses what is no transaction: a pool would run each statement where it likes, and commit it at once. */
export function checkTransaction(isOne: boolean, value: unknown, wanted: string): void {
  if (!isOne) throw new InvalidArgumentError('transaction', `must be ${wanted}, not ${kindOf(value)}`);
}
