import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClientBase } from 'pg';
import { quoteIdentifier, sqlState } from '../database/index.js';
import { knownMigrations, migrationDirectory, readApplied, type MigrationSet } from '../database/migrate/index.js';
import type { Check, Finding, Patient } from './check.js';
import { schemaMark, schemaObjects, type SchemaObject } from './schema-objects.js';

export const drift: Check = {
  name: 'drift',
  advice: 'Somebody has changed it by hand: give it back its definition, or move the work to a new schema (export, migrate, import).',
  async check(patient) {
    const findings: Finding[] = [];
    for (const [schema, set] of schemasOf(patient)) {
      // Tables of another version are another check's.
      const applied = await readApplied(patient.client, schema);
      if (applied?.join() !== (await knownMigrations(set)).join()) continue;
      findings.push(...(await driftOf(patient.client, schema, set)));
    }
    return findings;
  },
};

function schemasOf({ catalog, buckets }: Patient): [schema: string, set: MigrationSet][] {
  return [[catalog, 'catalog'], ...buckets.map((bucket): [string, MigrationSet] => [bucket, 'bucket'])];
}

async function driftOf(client: ClientBase, schema: string, set: MigrationSet): Promise<Finding[]> {
  await client.query('begin');
  try {
    const actual = new Map((await schemaObjects(client, schema)).map((object) => [keyOf(object), object]));
    const expected = await expectedObjects(client, set);
    return expected.flatMap((object) => findingOf(schema, object, actual.get(keyOf(object))));
  } catch (error) {
    // 42501: insufficient privilege.
    if (sqlState(error) !== '42501') throw error;
    const advice = 'Run doctor as a user that may create schemas in this database; what it creates, it rolls back.';
    return [{ severity: 'warning', text: `The schema "${schema}" cannot be compared with what it should be.`, advice }];
  } finally {
    await client.query('rollback');
  }
}

/** What the migrations of this version make, seen by making it. The caller's transaction is to be rolled back. */
async function expectedObjects(client: ClientBase, set: MigrationSet): Promise<SchemaObject[]> {
  const schema = `coordinate_doctor_${randomBytes(6).toString('hex')}`;
  await client.query(`create schema ${quoteIdentifier(schema)}`);
  for (const name of await knownMigrations(set)) {
    await client.query(`set local search_path = ${quoteIdentifier(schema)}`);
    const text = await readFile(join(migrationDirectory(set), `${name}.sql`), 'utf8');
    await client.query(text.split(/^-- Down Migration/m)[0] ?? '');
  }
  return schemaObjects(client, schema);
}

function findingOf(schema: string, expected: SchemaObject, actual: SchemaObject | undefined): Finding[] {
  const { kind, name, definition } = expected;
  const where = `in the schema "${schema}"`;
  if (actual === undefined) {
    const advice = { advice: `Run: ${definition.replaceAll(schemaMark, quoteIdentifier(schema))}` };
    return [{ severity: 'problem', text: `The ${kind} ${name} ${where} is missing.`, ...(kind === 'index' && advice) }];
  }
  if (actual.definition === definition) return [];
  return [{ severity: 'problem', text: `The ${kind} ${name} ${where} is not what this version makes.` }];
}

function keyOf({ kind, name }: SchemaObject): string {
  return `${kind} ${name}`;
}
