export { byteaArray, float8Array, int8Array, timestamptzArray } from './binary-array.js';
export {
  Database,
  type Executor,
  type ForeignClient,
  type Row,
  type Transaction,
  type TransactionStep,
  type TransactionSettings,
} from './database.js';
export { silentLogger, type Logger } from './logger.js';
export { defaultRetryOptions, type RetryOptions, type TransactionStatistics } from './retry.js';
export { StatementSet, quoteIdentifier, statement, type Statement } from './statement.js';
export { isRetryable, sqlState } from './translate-error.js';
