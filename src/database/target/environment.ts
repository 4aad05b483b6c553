import type { ConnectionParameters } from './connection-parameters.js';

/** Environment variables by name, such as `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** libpq's environment variables and the parameters they stand for. */
const variables = Object.entries({
  PGHOST: 'host',
  PGHOSTADDR: 'hostaddr',
  PGPORT: 'port',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGDATABASE: 'dbname',
  PGAPPNAME: 'application_name',
  PGOPTIONS: 'options',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGSSLMODE: 'sslmode',
  PGSSLNEGOTIATION: 'sslnegotiation',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGCHANNELBINDING: 'channel_binding',
});

export function parametersOfEnvironment(environment: Environment): ConnectionParameters {
  return Object.fromEntries(
    variables.flatMap(([variable, name]) => {
      const value = environment[variable];
      return value ? [[name, value]] : [];
    }),
  );
}

/** How to connect, such as PGAPPNAME or PGSSLMODE, does not say where to. */
export function saysWhere(parameters: ConnectionParameters): boolean {
  return ['host', 'hostaddr', 'port', 'user', 'password', 'dbname'].some((name) => parameters[name] !== undefined);
}
