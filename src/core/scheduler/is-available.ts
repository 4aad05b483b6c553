/**
 * Whether any unit of a spec is available: one probe of ready and one of ready_range in each living generation, of ready in the sealed one from where the spec's first unit was seen. Beside it stand
 * `generation` (`recent`, the open and the closed one, and `sealed`) and `front` (`spec_id`, `rank`, `name`: see SealedFronts).
 */
export const isAvailable = (s: string, specId: string): string => `(
          select true from ${s}.ready r
          where r.generation = any((select recent from generation)::bigint[]) and r.spec_id = ${specId}
          order by r.generation limit 1
        ) is true
        or (
          select true from ${s}.ready r
          where r.generation = (select sealed from generation) and r.spec_id = ${specId} and (r.rank, r.name) >= (
            coalesce((select f.rank from front f where f.spec_id = ${specId}), '-infinity'),
            coalesce((select f.name from front f where f.spec_id = ${specId}), '')
          )
          order by r.rank, r.name limit 1
        ) is true
        or (
          select true from ${s}.ready_range r
          where r.generation = any((select recent || sealed from generation)::bigint[]) and r.spec_id = ${specId}
          order by r.generation limit 1
        ) is true`;
