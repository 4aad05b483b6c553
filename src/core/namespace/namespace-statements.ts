import { statement } from '../../database/index.js';

/** Parameters: name. */
export const findNamespace = statement(
  'namespace.find',
  (s) => `select id, bucket from ${s}.namespace where name = $1::bytea`,
);

/** Answers nothing when somebody else was faster: find it then. Parameters: name, bucket. */
export const createNamespace = statement(
  'namespace.create',
  (s) => `
    insert into ${s}.namespace (name, bucket)
    values ($1::bytea, $2::integer)
    on conflict (name) do nothing
    returning id, bucket`,
);

export const listNamespaces = statement(
  'namespace.list',
  (s) => `select id, name, bucket from ${s}.namespace order by name`,
);

/** Index: namespace (name). Parameters: names. */
export const listNamedNamespaces = statement(
  'namespace.list-named',
  (s) => `select id, name, bucket from ${s}.namespace where name = any($1::bytea[]) order by name`,
);

/** Answers nothing when it is gone. Parameters: namespace id. */
export const namespaceExists = statement(
  'namespace.exists',
  (s) => `select id from ${s}.namespace where id = $1::bigint`,
);

/** Parameters: namespace id. */
export const deleteNamespace = statement(
  'namespace.delete',
  (s) => `delete from ${s}.namespace where id = $1::bigint`,
);

/**
 * The id of a new work spec. It locks the namespace's row until the transaction ends, so that the namespace cannot be destroyed
 * meanwhile. Answers nothing when it is gone. Parameters: namespace id.
 */
export const nextSpecId = statement(
  'namespace.next-spec-id',
  (s) => `
    update ${s}.namespace set last_spec_serial = last_spec_serial + 1
    where id = $1::bigint
    returning id * 16777216 + last_spec_serial as spec_id`,
);
