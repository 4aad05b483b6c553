import pg from 'pg';

/** The first column of the rows of one statement, on a connection of its own. */
export async function query(url: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  // A server that stops ends the connection: the query fails, and that is enough.
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text, rowMode: 'array' });
    return rows.map((row) => row[0]);
  } finally {
    await client.end();
  }
}

/** For tests, whose data nobody will miss. */
export const fast = { fsync: 'off', shared_buffers: '16MB' } as const;
