import { expect } from 'vitest';
import type { TestDatabase } from '../../support/database.js';
import { labelOf, rowsHandled, scansOf, type ExplainedConnection, type ExplainedStatement } from './explained.js';
import type { Operation } from './operation.js';

/** What runs in the background now and then costs what it costs, and nobody waits for it. */
function isHousekeeping(statement: ExplainedStatement): boolean {
  return ['summary.fold-counts', 'work-unit.rotate-ready'].includes(labelOf(statement)) || labelOf(statement).includes('from ready where generation = ');
}

/** Runs an operation; no statement of it may handle more rows than it is allowed, whatever is in the tables. */
export async function expectBounded(database: TestDatabase, connection: ExplainedConnection, operation: Operation): Promise<void> {
  const statements = await operation.run({ database, connection });
  expect(statements.length, 'plans told by the server').toBeGreaterThan(0);
  for (const statement of statements.filter((each) => !isHousekeeping(each))) {
    const message = `${labelOf(statement)}:\n${scansOf(statement).join('\n')}\nrows handled`;
    expect.soft(rowsHandled(statement), message).toBeLessThanOrEqual(operation.mostRows);
  }
}
