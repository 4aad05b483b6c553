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

/** The same for what is neither the end of an attempt nor leads to it: those who only wait for units need not hear of it. */
export function isWatchedFully(s: string, namespaceId: string): string {
  return `(
      select true from ${s}.watcher
      where namespace_id = ${namespaceId}::bigint and expires_at > statement_timestamp() and not outcomes_only limit 1
    ) is true`;
}

/** isWatched() by itself, for what cannot ask on its way. Parameters: namespace id. */
export const readWatched = statement('notify.is-watched', (s) => `select ${isWatched(s, '$1')} as watched`);

/** isWatchedFully() by itself. Parameters: namespace id. */
export const readWatchedFully = statement('notify.is-watched-fully', (s) => `select ${isWatchedFully(s, '$1')} as watched`);
