import type { ClientConfig } from 'pg';

/** `host:port/database`, for messages and logs: nothing secret in it. What is left out is shown as `pg` will fill it in. */
export function describeTarget(config: ClientConfig): string {
  const host = config.host ?? 'localhost';
  const shown = host.includes(':') ? `[${host}]` : host;
  return `${shown}:${config.port ?? 5432}/${config.database ?? config.user ?? ''}`;
}
