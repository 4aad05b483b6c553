import { randomUUID } from 'node:crypto';
import { afterAll } from 'vitest';
import type { TestDatabase } from '../support/database.js';
import { contentsOf, schemasLike } from './schema-contents.js';

/** Schemas of a test's own, to be migrated in. To be called once a file. */
export function ownSchemas(database: TestDatabase) {
  const made: string[] = [];

  afterAll(async () => {
    for (const beginning of made) {
      for (const schema of await schemasLike(database, beginning)) await database.query(`drop schema "${schema}" cascade`);
    }
  });

  /** The name of a schema that is not there yet; removed after the tests. */
  function newSchema(beginning = 'migrate_'): string {
    const schema = `${beginning}${randomUUID().replaceAll('-', '').slice(0, 16)}`;
    made.push(schema);
    return schema;
  }

  /** What is in the test's own schemas, which migrate() has made as well. */
  async function reference(): Promise<{ catalog: string[]; bucket: string[] }> {
    return {
      catalog: await contentsOf(database, database.schema),
      bucket: await contentsOf(database, database.bucket),
    };
  }

  return { newSchema, reference };
}
