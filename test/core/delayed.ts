import type { TestDatabase } from '../support/database.js';

/** For units that are to be delayed until the test says that their time has come, however long it takes to add them. */
export const untilMadeDue = new Date('2999-01-01T00:00:00Z');

/** Says so of all of them: it has come at this moment, as it does by itself, and not long ago. */
export async function makeDue({ bucket, query }: TestDatabase): Promise<void> {
  const due = await query(
    `with due as (
      update ${bucket}.delayed set not_before = statement_timestamp() where not_before = $1 returning unit_id, not_before
    )
    update ${bucket}.work_unit u set not_before = due.not_before from due where u.id = due.unit_id returning u.id`,
    [untilMadeDue],
  );
  if (due.length === 0) throw new Error('nothing was delayed');
}
