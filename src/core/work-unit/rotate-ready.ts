import { statement } from '../../database/index.js';

/**
 * Opens the next segment of the ready units, and truncates those that are used up. READ COMMITTED and through the claim gate: what the
 * function finds empty under its lock must be empty for everybody.
 */
export const rotateReady = statement('work-unit.rotate-ready', (s) => `select ${s}.rotate_ready()`);
