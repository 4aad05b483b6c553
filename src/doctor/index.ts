export type { Check, Finding, Limits, Patient } from './check.js';
export { checks, examine, type ExamineOptions, type Result } from './examine.js';
