import type { Check } from './check.js';

const oldestSupported = 140_000;

export const serverVersion: Check = {
  name: 'server version',
  advice: 'Move to a newer PostgreSQL; 14 is the oldest that is supported.',
  async check({ client }) {
    const { rows } = await client.query<{ number: string; text: string }>(
      "select current_setting('server_version_num') as number, current_setting('server_version') as text",
    );
    const [row] = rows;
    if (row === undefined || Number(row.number) >= oldestSupported) return [];
    return [{ severity: 'problem', text: `The server is PostgreSQL ${row.text}.` }];
  },
};
