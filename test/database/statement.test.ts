import { describe, expect, test } from 'vitest';
import { quoteIdentifier, statement, StatementSet } from '../../src/database/index.js';

const read = statement('thing.read', (s, catalog) => `select * from ${s}.thing join ${catalog}.name using (id) where id = $1`);

describe('a statement', () => {
  test('is addressed to its schema and catalog, quoted, and names itself in a comment', () => {
    const { text } = new StatementSet('Bucket "1"', 'catalog').prepare(read);
    expect(text).toBe(
      '/* pg-coordinate:thing.read */ select * from "Bucket ""1""".thing join "catalog".name using (id) where id = $1',
    );
  });

  test('is made once for a schema', () => {
    const set = new StatementSet('bucket', 'catalog');
    expect(set.prepare(read)).toBe(set.prepare(read));
    expect(new StatementSet('bucket', 'catalog').prepare(read)).toEqual(set.prepare(read));
  });

  test('is prepared under a name of its content, so that no two that differ share one', () => {
    const other = statement('thing.read', (s) => `select 1 from ${s}.thing`);
    const names = [
      new StatementSet('bucket', 'catalog').prepare(read),
      new StatementSet('bucket2', 'catalog').prepare(read),
      new StatementSet('bucket', 'catalog2').prepare(read),
      new StatementSet('bucket', 'catalog').prepare(other),
    ].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    // PostgreSQL cuts longer ones, and would then take two for one.
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThan(64);
    expect(names[0]).toMatch(/^pc_[0-9a-f]{24}$/);
  });

  test('cannot be changed', () => {
    expect(Object.isFrozen(read)).toBe(true);
  });
});

describe('quoteIdentifier', () => {
  test.each([
    ['plain', '"plain"'],
    ['UPPER', '"UPPER"'],
    ['with "quotes"', '"with ""quotes"""'],
    ['', '""'],
    ['"; drop table x; --', '"""; drop table x; --"'],
  ])('of %j is %s', (name, quoted) => {
    expect(quoteIdentifier(name)).toBe(quoted);
  });
});
