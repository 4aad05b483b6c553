import type { Pool } from 'pg';
import type { Logger } from './logger.js';
import type { RetryOptions } from './retry.js';

export interface DatabaseOptions {
  readonly pool: Pool;
  /** Whether to end the pool on close. */
  readonly ownsPool: boolean;
  /** Whether clients of the pool send a statement without waiting for the answer to the last one. */
  readonly pipeline: boolean;
  /** Whether statements are prepared by name; not every connection pooler lets them be. */
  readonly prepare: boolean;
  /** For messages: where the server is, without secrets. */
  readonly target: string;
  /** For messages: the schema of the tables. */
  readonly schema: string;
  readonly retry: RetryOptions;
  readonly logger: Logger;
}
