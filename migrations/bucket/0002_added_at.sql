-- Up Migration
-- When each unit was added, so that it can be told how long units wait. (compatible, transactional; no table is rewritten)
--
-- For monitoring only: nothing is decided by it. Therefore it is the time of the database whatever clock the queue goes by, and a unit
-- that was there before this migration counts as added by it. Adding a unit that exists leaves it as it is.

alter table work_unit add column added_at timestamptz not null default statement_timestamp();

-- Down Migration
alter table work_unit drop column added_at;
