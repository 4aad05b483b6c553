import type { Check } from './check.js';

/** Beyond this share the next deployment may find no connection. */
const mostShare = 0.8;

const countConnections = `
  select
    current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer
      - coalesce(current_setting('reserved_connections', true)::integer, 0) as most,
    (select count(*) from pg_stat_activity where backend_type = 'client backend')::integer as used`;

export const connections: Check = {
  name: 'connections',
  advice:
    'Give workers smaller pools (a worker needs four or more, a listening one included), put a pooler in front, or raise max_connections.',
  async check({ client }) {
    const { rows } = await client.query<{ most: number; used: number }>(countConnections);
    const { most = 1, used = 0 } = rows[0] ?? {};
    if (used <= most * mostShare) return [];
    return [{ severity: used >= most ? 'problem' : 'warning', text: `${used} of the server's ${most} connections are in use.` }];
  },
};
