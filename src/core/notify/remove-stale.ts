import { statement } from '../../database/index.js';

/**
 * Removes what processes have left that ended without a word, in whatever namespace: nobody may ever listen in theirs again. Those that
 * somebody else removes at this moment are skipped. Reads all of two tables that hold a row for each process and namespace.
 */
export const removeStale = statement(
  'notify.remove-stale',
  (s) => `
    with waiters as (
      delete from ${s}.waiter
      where (namespace_id, listener) in (
        select namespace_id, listener from ${s}.waiter
        where since < statement_timestamp() - interval '10 minutes'
        for update skip locked
      )
    )
    delete from ${s}.watcher
    where (namespace_id, listener) in (
      select namespace_id, listener from ${s}.watcher
      where expires_at < statement_timestamp() - interval '10 minutes'
      for update skip locked
    )`,
);
