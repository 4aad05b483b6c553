/** A connection in libpq's terms: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS */
export type ConnectionParameters = Readonly<Record<string, string>>;
