-- Up Migration
-- What a session writes that has committed without waiting for the disk, and is to wait for it now: see src/core/work-unit/add-early.ts. (compatible,
-- transactional)

create sequence flush_mark;

-- Down Migration
drop sequence flush_mark;
