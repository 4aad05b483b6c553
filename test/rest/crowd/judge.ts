import type { WorkersResult } from './waiting-workers.js';

/** Where the attempts are on record. */
export interface AttemptRecord {
  /** The schema of the bucket. */
  readonly bucket: string;
  query<Row extends object>(text: string, values?: unknown[]): Promise<Row[]>;
}

/** What must all be empty, whatever happened to servers. */
export interface Judgement {
  /** Units that are not finished. */
  readonly lost: readonly string[];
  /** Units of which a lease began while another one held. */
  readonly heldTwice: readonly string[];
  /** Units that were accepted as finished more than once. */
  readonly finishedTwice: readonly string[];
  /** Attempts that two workers were given. */
  readonly givenTwice: readonly string[];
  /** Errors of workers. */
  readonly errors: readonly string[];
}

/** Compares what workers were given with what the database has on record. */
export async function judge(record: AttemptRecord, workSpec: string, units: readonly string[], results: readonly WorkersResult[]): Promise<Judgement> {
  const { bucket: b } = record;
  const rows = await record.query<{ unit: string; ended: string | null; overlaps: boolean }>(
    `
    select convert_from(u.name, 'UTF8') as unit, u.ended, coalesce(a.overlaps, false) as overlaps
    from ${b}.work_unit u
    join ${b}.work_spec p on p.id = u.spec_id and p.name = convert_to($1, 'UTF8')
    left join lateral (
      select bool_or(started_at < previous_end) as overlaps
      from (
        select started_at, lag(coalesce(ended_at, 'infinity')) over (order by number) as previous_end
        from ${b}.any_attempt where spec_id = u.spec_id and unit_id = u.id
      ) by_number
    ) a on true`,
    [workSpec],
  );
  const finished = new Set(rows.filter(({ ended }) => ended === 'finished').map(({ unit }) => unit));
  const handed = results.flatMap((result) => result.handed);
  return {
    lost: units.filter((unit) => !finished.has(unit)),
    heldTwice: rows.filter(({ overlaps }) => overlaps).map(({ unit }) => unit),
    finishedTwice: repeated(handed.filter((each) => each.finished === true).map(({ unit }) => unit)),
    givenTwice: repeated(handed.map(({ unit, attempt }) => `${unit}, attempt ${attempt}`)),
    errors: results.flatMap(({ errors }) => Object.entries(errors).map(([text, count]) => `${count} times: ${text}`)),
  };
}

function repeated(items: readonly string[]): string[] {
  const seen = new Set<string>();
  return items.filter((item) => seen.size === seen.add(item).size);
}
