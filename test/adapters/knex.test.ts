import knex from 'knex';
import { fromKnex } from 'pg-coordinate/adapters';
import { describe, expect, test } from 'vitest';
import { withQuestionMarks } from '../../src/adapters/from-knex.js';
import { adapterBehaves } from './behaviour.js';
import type { OpenLibrary } from './library.js';

const open: OpenLibrary = ({ schema, ...connection }) => {
  const db = knex({ client: 'pg', connection });
  return {
    transaction: (body) => db.transaction((trx) => body(fromKnex(trx), (id) => trx('receipt').withSchema(schema).insert({ id }))),
    // @ts-expect-error A pool is no transaction.
    withoutTransaction: () => fromKnex(db),
    close: () => db.destroy(),
  };
};

describe('on Knex', () => adapterBehaves(open));

test.each([
  ['select $1, $2', ['a', 2], 'select ?, ?', ['a', 2]],
  ['select $2, $1, $2', [1, 2], 'select ?, ?, ?', [2, 1, 2]],
  ["select '?' as q, $1 ?| $2", [1, undefined], "select '\\?' as q, ? \\?| ?", [1, null]],
  ['select $11', Array.from({ length: 11 }, (_, index) => index), 'select ?', [10]],
  ['select 1', [], 'select 1', []],
])('numbered parameters become question marks: %s', (text, values, sql, bindings) => {
  expect(withQuestionMarks(text, values)).toEqual({ sql, bindings });
});
