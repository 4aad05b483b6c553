import { statement } from '../../database/index.js';

/** How many overdue attempts one call expires at most. */
export const expireDueLimit = 1_000;

/**
 * Expires overdue attempts; runs in front of every statement that looks at units or attempts. With nothing due it costs one probe
 * of lease_due, one of lease_range_due and one of superseded_due. READ COMMITTED: each step of the function looks at what is there after its locks.
 * Parameters: now, limit, since when leases can be due.
 */
export const expireDue = statement(
  'expiry.expire-due',
  (s) => `
    select
      ${s}.expire_due(
        coalesce($1::timestamptz, statement_timestamp()), $2::integer, coalesce($3::timestamptz, '-infinity')
      ) as expired,
      statement_timestamp() as now`,
);

/** How many units one call makes available at most. */
export const promoteDueLimit = 2_000;

/** Makes delayed units available whose time has come. Parameters: now, limit, since when delays can have passed. */
export const promoteDue = statement(
  'expiry.promote-due',
  (s) => `
    select ${s}.promote_due(
      coalesce($1::timestamptz, statement_timestamp()), $2::integer, coalesce($3::timestamptz, '-infinity')
    ) as promoted`,
);
