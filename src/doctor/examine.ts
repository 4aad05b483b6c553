import type { ClientBase } from 'pg';
import { quoteIdentifier } from '../database/index.js';
import { readApplied } from '../database/migrate/index.js';
import { bucketSchema } from '../core/backend.js';
import { defaultLimits, type Check, type Finding, type Limits, type Patient } from './check.js';
import { clock } from './clock.js';
import { connections } from './connections.js';
import { deadRows } from './dead-rows.js';
import { drift } from './drift.js';
import { indexes } from './indexes.js';
import { rotation } from './rotation.js';
import { schemaVersion } from './schema-version.js';
import { serverVersion } from './server-version.js';
import { settings } from './settings.js';
import { transactions } from './transactions.js';

/** All checks, in the order in which they are best read. */
export const checks: readonly Check[] = [
  serverVersion,
  schemaVersion,
  drift,
  indexes,
  deadRows,
  clock,
  transactions,
  rotation,
  connections,
  settings,
];

/** What a check has found, with advice for each finding. */
export interface Result {
  readonly check: string;
  readonly findings: readonly Required<Finding>[];
}

export interface ExamineOptions {
  readonly schema: string;
  /** How many buckets there should be; those that the catalog knows are looked at as well. */
  readonly buckets: number;
  readonly now: () => Date;
  readonly limits?: Partial<Limits>;
}

/** Runs every check on the database that a client is connected to. The client must not be in a transaction. */
export async function* examine(client: ClientBase, options: ExamineOptions): AsyncGenerator<Result> {
  const { schema, now, limits } = options;
  const patient: Patient = {
    client,
    catalog: schema,
    buckets: await bucketsOf(client, options),
    now,
    limits: { ...defaultLimits, ...limits },
  };
  for (const check of checks) {
    const findings = await check.check(patient);
    yield { check: check.name, findings: findings.map((finding) => ({ advice: check.advice, ...finding })) };
  }
}

async function bucketsOf(client: ClientBase, { schema, buckets }: ExamineOptions): Promise<string[]> {
  const numbers = new Set(Array.from({ length: buckets }, (_, index) => index + 1));
  if ((await readApplied(client, schema)) !== null) {
    const { rows } = await client.query<{ number: number }>(`select number from ${quoteIdentifier(schema)}.bucket`);
    for (const { number } of rows) numbers.add(number);
  }
  return [...numbers].sort((a, b) => a - b).map((number) => bucketSchema(schema, number));
}
