import type { AfterCommit } from './transaction.js';

/** Neighbours of one key as one: a transaction that adds a thousand units has one thing to tell. */
export function mergeTasks(tasks: readonly AfterCommit[]): AfterCommit[] {
  const merged: { key: string; payloads: string[]; run: AfterCommit['run'] }[] = [];
  for (const { key, payloads, run } of tasks) {
    const last = merged.at(-1);
    if (last?.key === key) last.payloads.push(...payloads);
    else merged.push({ key, payloads: [...payloads], run });
  }
  return merged;
}
