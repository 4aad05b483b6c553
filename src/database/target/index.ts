export { describeTarget } from './describe-target.js';
export type { Environment } from './environment.js';
export { parseTarget } from './parse-target.js';
