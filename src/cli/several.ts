import { GoneError } from '../errors/index.js';

/** How many are read at the same time: the database answers them one after the other, but nobody waits for each answer. */
const atOnce = 50;

/** Reads each item, several at a time, in order; what is deleted meanwhile is left out. */
export async function readEach<Item, Result>(items: readonly Item[], read: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += atOnce) {
    const some = await Promise.all(items.slice(from, from + atOnce).map((item) => read(item).then((result) => ({ result }), goneOrThrow)));
    for (const one of some) if (one !== null) results.push(one.result);
  }
  return results;
}

function goneOrThrow(error: unknown): null {
  if (error instanceof GoneError) return null;
  throw error;
}
