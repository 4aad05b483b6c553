export { databaseClock, type Clock } from './clock.js';
export { ManualClock } from './manual-clock.js';
export { wallClock } from './wall-clock.js';
