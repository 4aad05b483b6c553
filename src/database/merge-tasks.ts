import type { AfterCommit } from './transaction.js';

interface MergedTask extends AfterCommit {
  readonly payloads: string[];
}

/** Neighbours of one key as one: a transaction that adds a thousand units has one thing to tell. */
export function mergeTasks(tasks: readonly AfterCommit[]): AfterCommit[] {
  const merged: MergedTask[] = [];
  const last = new Map<string, MergedTask>();
  for (const { key, payloads, run, isLast = false } of tasks) {
    const same = isLast ? last.get(key) : merged.at(-1);
    if (same?.key === key) {
      same.payloads.push(...payloads);
      continue;
    }
    const task = { key, payloads: [...payloads], run };
    if (isLast) last.set(key, task);
    else merged.push(task);
  }
  return [...merged, ...last.values()];
}
