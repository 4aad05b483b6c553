import { statement } from '../database/index.js';

/** The time that statements use. Parameters: now. */
export const readTime = statement('coordinate.now', () => 'select coalesce($1::timestamptz, statement_timestamp()) as now');
