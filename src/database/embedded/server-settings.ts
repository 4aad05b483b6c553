import { InvalidArgumentError } from '../../errors/index.js';

/** Durable as PostgreSQL is by default; a test that does not need that passes `fsync: 'off'`. */
const defaultSettings: Readonly<Record<string, string>> = Object.freeze({
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Keeps the log of a server that nobody watches small: what fails is told to the client, serialization failures by the
  // thousand; and no statement, which may hold a secret, is written to it.
  log_min_messages: 'log',
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
});

/** What only this package may decide, since `url` and the safety of the server depend on it. */
const reserved = ['port', 'listen_addresses', 'unix_socket_directories', 'data_directory', 'hba_file', 'ident_file'];

/** The server's arguments for its settings, all but the port. */
export function settingArguments(settings: Readonly<Record<string, string>>): string[] {
  for (const name of Object.keys(settings)) {
    // PostgreSQL takes setting names in any case, and on its command line `-` for `_`.
    if (reserved.includes(name.toLowerCase().replaceAll('-', '_'))) {
      throw new InvalidArgumentError('settings', `${name} cannot be set for an embedded PostgreSQL`);
    }
    if (!/^\w[\w.-]*$/.test(name)) throw new InvalidArgumentError('settings', `${name} is not the name of a setting`);
  }
  // Loopback only, and no socket in the file system: nobody but holders of the password gets in.
  const fixed = { listen_addresses: '127.0.0.1', unix_socket_directories: '' };
  return Object.entries({ ...defaultSettings, ...settings, ...fixed }).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}
