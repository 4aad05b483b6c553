export { boolArray, byteaArray, int4Array, float8Array, int8Array, tidArray, timestamptzArray } from './binary-array.js';
export { Database } from './database.js';
export { clientConfigOf } from './client-config-of.js';
export { Listener, type ListenerOptions, type Unsubscribe } from './listener.js';
export { silentLogger, type Logger } from './logger.js';
export { mayPass } from './may-pass.js';
export { defaultRetryOptions, type RetryOptions, type TransactionStatistics } from './retry.js';
export { StatementSet, quoteIdentifier, statement, type Statement } from './statement.js';
export type {
  Executor,
  ForeignClient,
  Row,
  StatementStep,
  Transaction,
  TransactionSettings,
  TransactionStep,
} from './transaction.js';
export { isRetryable, sqlState } from './translate-error.js';
export { within } from './within.js';
