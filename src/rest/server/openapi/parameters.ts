import { workUnitStatuses } from '../../../core/work-unit/work-unit-status.js';
import { unitPartWords } from '../../wire/index.js';
import type { JsonSchema } from './schema.js';

/** A variable of a query. */
export interface Parameter {
  readonly name: string;
  readonly description: string;
  readonly schema: JsonSchema;
}

const text: JsonSchema = { type: 'string' };
const whole: JsonSchema = { type: 'integer', minimum: 0 };
const flag: JsonSchema = { type: 'boolean' };

/** The variables of `unitQueryTemplate`. They combine; without any, all units are meant. */
export const unitQuery: readonly Parameter[] = [
  { name: 'name', description: 'Only the units of these names.', schema: { type: 'array', items: text } },
  { name: 'status', description: 'Only units of these statuses.', schema: { type: 'array', items: { enum: ['any', ...workUnitStatuses] } } },
  { name: 'previous', description: 'Only units whose names come after this one, written as in paths.', schema: text },
  { name: 'limit', description: 'The first so many by name; 0: all.', schema: whole },
  { name: 'key', description: 'Only the units of these names, written as in paths: for names that are not UTF-8.', schema: { type: 'array', items: text } },
];

/** The variables of `unitReadTemplate`. */
export const unitReadQuery: readonly Parameter[] = [
  ...unitQuery,
  { name: 'with', description: 'What to tell of each unit besides its status and meta.', schema: { type: 'array', items: { enum: Object.keys(unitPartWords) } } },
];

export const workerQuery: readonly Parameter[] = [
  { name: 'start', description: 'Only workers whose names are not before this one.', schema: text },
  { name: 'limit', description: 'The first so many by name.', schema: whole },
  { name: 'active', description: 'Only those that are active.', schema: flag },
];

export const attemptQuery: readonly Parameter[] = [
  { name: 'after', description: 'Only attempts with a higher number.', schema: whole },
  { name: 'limit', description: 'The first so many by number.', schema: whole },
];

export const metaQuery: readonly Parameter[] = [{ name: 'counts', description: 'Whether to count available and pending units.', schema: flag }];
