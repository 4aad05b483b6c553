import { byteaArray, int8Array } from '../../database/index.js';
import { CoordinateError, NoSuchAttemptError, NoSuchWorkSpecError, NoSuchWorkUnitError } from '../../errors/index.js';
import type { Namespace } from '../namespace/namespace.js';
import { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { attemptOfNamespaceFromRow } from './attempt-from-row.js';
import type { Attempt } from './attempt.js';
import { listNamedAttempts } from './list-attempts.js';

/** What names an attempt beyond the process that holds its object. */
export interface AttemptReference {
  readonly workSpec: string;
  /** The exact name. */
  readonly workUnit: Uint8Array;
  readonly number: number;
}

/**
 * The attempts that are meant, in the order given: each an attempt, or the error that says why there is none (NoSuchWorkSpec,
 * NoSuchWorkUnit, NoSuchAttempt). On PostgreSQL in one round trip, and without looking at what is overdue: a worker that
 * reports late but before anybody looked still wins. Raises Gone.
 */
export async function findAttempts(
  namespace: Namespace,
  references: readonly AttemptReference[],
): Promise<(Attempt | CoordinateError)[]> {
  if (!(namespace instanceof PostgresNamespace)) return Promise.all(references.map((reference) => search(namespace, reference)));
  const rows = await namespace.bucket.run(listNamedAttempts, [
    namespace.id,
    byteaArray(references.map(({ workSpec }) => Buffer.from(workSpec))),
    byteaArray(references.map(({ workUnit }) => workUnit)),
    int8Array(references.map(({ number }) => number)),
  ]);
  if (rows.some((row) => row.spec_id === null)) await namespace.checkExists();
  return references.map((reference, index) => {
    const row = rows[index] ?? {};
    if ((row.spec_id ?? null) === null) return new NoSuchWorkSpecError(reference.workSpec);
    if (row.unit_id === null) return new NoSuchWorkUnitError(Buffer.from(reference.workUnit).toString('utf8'));
    return row.number === null ? new NoSuchAttemptError() : attemptOfNamespaceFromRow(namespace, row);
  });
}

/** As findAttempts, for one; on PostgreSQL those who ask at the same time share a round trip. Raises Gone. */
export async function findAttempt(namespace: Namespace, reference: AttemptReference): Promise<Attempt | CoordinateError> {
  return namespace instanceof PostgresNamespace ? namespace.bucket.finder.find(namespace, reference) : search(namespace, reference);
}

async function search(namespace: Namespace, { workSpec, workUnit, number }: AttemptReference): Promise<Attempt | CoordinateError> {
  try {
    const unit = await (await namespace.workSpec(workSpec)).workUnit(workUnit);
    return (await unit.attempts()).find((attempt) => attempt.number === number) ?? new NoSuchAttemptError();
  } catch (error) {
    if (error instanceof CoordinateError) return error;
    throw error;
  }
}
