/**
 * The whole environment of the server's processes. Nothing is inherited: PGDATA, PGPORT or PGOPTIONS would change what they do,
 * LC_* their messages, and the secrets of this process are none of a database's business.
 */
export const serverEnvironment: Readonly<Record<string, string>> = Object.freeze({
  PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin',
  LC_ALL: 'C',
  TZ: 'UTC',
});
