import type { TransactionStep } from './transaction.js';

/** Neighbouring commands as one message: each message that is answered by itself costs either side as much as a short command does. */
export function joinCommands(steps: readonly TransactionStep[]): TransactionStep[] {
  const joined: TransactionStep[] = [];
  for (const step of steps) {
    const last = joined.at(-1);
    if (typeof step === 'string' && typeof last === 'string') joined[joined.length - 1] = `${last}; ${step}`;
    else joined.push(step);
  }
  return joined;
}
