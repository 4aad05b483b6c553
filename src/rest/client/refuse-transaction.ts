import type { TransactionOptions } from '../../core/coordinate.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { checkOptions } from '../../options/index.js';

/** Raises InvalidArgument for a `client`: no request over HTTP can take part in a transaction of the caller's. */
export function refuseTransaction(options: TransactionOptions | undefined, known: readonly 'client'[] = ['client']): void {
  if (checkOptions(options, 'options', known).client !== undefined) throw transactionsNeedPostgres('options.client');
}

export function transactionsNeedPostgres(field: string): InvalidArgumentError {
  return new InvalidArgumentError(field, 'transactions need PostgreSQL: connect() to postgres://… instead of http://… to use them, or leave it out');
}
