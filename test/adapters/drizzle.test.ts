import { drizzle } from 'drizzle-orm/node-postgres';
import { pgSchema, text } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { fromDrizzle } from 'pg-coordinate/adapters';
import { describe } from 'vitest';
import { adapterBehaves } from './behaviour.js';
import type { OpenLibrary } from './library.js';

const open: OpenLibrary = ({ schema, ...connection }) => {
  const pool = new pg.Pool(connection);
  const db = drizzle(pool);
  const receipt = pgSchema(schema).table('receipt', { id: text().primaryKey() });
  return {
    transaction: (body) => db.transaction((tx) => body(fromDrizzle(tx), (id) => tx.insert(receipt).values({ id }))),
    // @ts-expect-error A database is no transaction.
    withoutTransaction: () => fromDrizzle(db),
    close: () => pool.end(),
  };
};

describe('on Drizzle', () => adapterBehaves(open));
