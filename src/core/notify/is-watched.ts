import { statement } from '../../database/index.js';

/**
 * The column `watched` of statements that change attempts: whether anybody wants to hear of it. One probe of the key of a table that
 * holds a row for each process that watches, mostly none.
 */
export function isWatched(s: string, namespaceId: string): string {
  return `(
      select true from ${s}.watcher
      where namespace_id = ${namespaceId}::bigint and expires_at > statement_timestamp() limit 1
    ) is true`;
}

/** The same by itself, for what cannot ask on its way. Parameters: namespace id. */
export const readWatched = statement('notify.is-watched', (s) => `select ${isWatched(s, '$1')} as watched`);
