import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import { fromKysely } from 'pg-coordinate/adapters';
import { describe } from 'vitest';
import { adapterBehaves } from './behaviour.js';
import type { OpenLibrary } from './library.js';

interface Tables {
  receipt: { id: string };
}

const openWith = (plugins: CamelCasePlugin[]): OpenLibrary => ({ schema, ...connection }) => {
  const db = new Kysely<Tables>({ dialect: new PostgresDialect({ pool: new pg.Pool(connection) }), plugins });
  return {
    transaction: (body) =>
      db
        .transaction()
        .execute((trx) => body(fromKysely(trx), (id) => trx.withSchema(schema).insertInto('receipt').values({ id }).execute())),
    // @ts-expect-error A database is no transaction.
    withoutTransaction: () => fromKysely(db),
    close: () => db.destroy(),
  };
};

describe('on Kysely', () => adapterBehaves(openWith([])));
describe('on Kysely with a plugin that renames columns', () => adapterBehaves(openWith([new CamelCasePlugin()])));
