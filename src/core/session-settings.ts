import type pg from 'pg';
import { InvalidArgumentError } from '../errors/index.js';

/** What the queue relies upon: how values are written, and that each step of a transition sees what is there after its locks. */
const relied = {
  datestyle: 'ISO',
  extra_float_digits: '1',
  standard_conforming_strings: 'on',
  default_transaction_isolation: 'read\\ committed',
};

/**
 * What keeps the plans of our statements as they were meant: planned once, never compiled, and by index even if a table was empty when
 * its statement was first used. The usual value is what a caller's own SQL in `coordinate.transaction` is planned with.
 */
const planning = {
  jit: { ours: 'off', usual: 'on' },
  plan_cache_mode: { ours: 'force_generic_plan', usual: 'auto' },
  enable_seqscan: { ours: 'off', usual: 'on' },
  // Unlike an index scan it does not mark dead entries, and finds them all again the next time.
  enable_bitmapscan: { ours: 'off', usual: 'on' },
  enable_hashjoin: { ours: 'off', usual: 'on' },
  enable_mergejoin: { ours: 'off', usual: 'on' },
};

/**
 * Pages that a session writes because the buffers are full go to the disk soon, as those of checkpoints do. Otherwise they pile up in the system's cache until
 * a checkpoint syncs the file, and commits wait for all of them at once. (Without effect where the system cannot be told.)
 */
const writing = { backend_flush_after: '256kB' };

/** How the sessions of a pool of ours begin: start-up options for the server, in front of those the caller has given. */
export function startUpOptions(given: readonly (string | undefined)[]): string {
  const settings = [
    ...Object.entries(relied),
    ...Object.entries(writing),
    ...Object.entries(planning).map(([name, { ours }]) => [name, ours] as const),
  ];
  return [...settings.map(([name, value]) => `-c ${name}=${value}`), ...given].filter(Boolean).join(' ');
}

/** Commands that undo the planning settings for one transaction, but for those that the caller has given. */
export function usualPlanning(given: readonly (string | undefined)[]): string {
  return Object.entries(planning)
    .filter(([name]) => !given.some((options) => options?.includes(name)))
    .map(([name, { usual }]) => `set local ${name} = ${usual}`)
    .join('; ');
}

/** Refuses sessions of a caller's pool, or of a server's settings, that write values in a way `pg` would misread. */
export async function checkSession(client: pg.ClientBase, target: string): Promise<void> {
  const { rows } = await client.query<{ style: string; digits: string; strings: string }>(`
    select
      current_setting('datestyle') as style, current_setting('extra_float_digits') as digits,
      current_setting('standard_conforming_strings') as strings`);
  const [session] = rows;
  const refuse = (setting: string, value: string, wanted: string): never => {
    throw new InvalidArgumentError('target', `sessions of ${target} have ${setting} = ${value}; set it to ${wanted}`);
  };
  if (session === undefined) return;
  if (!session.style.startsWith('ISO')) refuse('DateStyle', session.style, 'ISO');
  if (Number(session.digits) < 1) refuse('extra_float_digits', session.digits, '1');
  if (session.strings !== 'on') refuse('standard_conforming_strings', session.strings, 'on');
}
