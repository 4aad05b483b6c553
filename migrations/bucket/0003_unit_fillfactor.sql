-- Up Migration
-- Room in each page for the second version of every unit in it, which is longer than the first by its status and the number of the attempt that
-- ended it: at 50 % it was not enough for one in ten, and each of those cost two new index entries. (compatible, transactional; pages that
-- exist stay as they are)

alter table work_unit set (fillfactor = 45);

-- Down Migration
alter table work_unit set (fillfactor = 50);
