import type { WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { listItems, readInteger } from './read-value.js';

/** The numbers that clients have for the statuses of work units. (2, blocked, is known to them but never used.) */
export const statusCode = { available: 1, delayed: 1, pending: 3, finished: 4, failed: 5 } as const satisfies Record<WorkUnitStatus, number>;

/** The numbers that clients have for those of work specs. */
export const specStatusCode = { runnable: 1, paused: 2 } as const;

/** The statuses that a number, or a list or tuple of numbers, stands for. A delayed unit is an available one to clients. */
export function readStatuses(value: unknown, field: string): WorkUnitStatus[] {
  return (listItems(value) ?? [value]).flatMap((item) => {
    const code = readInteger(item, field);
    const statuses = Object.entries(statusCode).filter(([, known]) => known === code);
    if (statuses.length === 0) throw new InvalidArgumentError(field, `has no work unit status ${code}; use 1, 3, 4 or 5`);
    return statuses.map(([status]) => status as WorkUnitStatus);
  });
}
