import { decodeData } from '../../codec/index.js';
import type { Row } from '../../database/index.js';
import { attemptFromRow } from '../attempt/attempt-from-row.js';
import { bytes, instantOrNull } from '../instant.js';
import type { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { listingOf, type UnitQuery } from './list-units.js';
import { PostgresWorkUnit } from './postgres-work-unit.js';
import { mostPageBytes, mostPageUnits, type WorkUnitPage, type WorkUnitPart, type WorkUnitReading } from './work-unit-page.js';
import type { WorkUnitStatus } from './work-unit-status.js';

/** Reads a page of units. What is overdue expires first. */
export async function readUnits(spec: PostgresWorkSpec, query: UnitQuery, parts: readonly WorkUnitPart[]): Promise<WorkUnitPage> {
  const { bucket } = spec;
  const now = bucket.backend.now();
  const limit = Math.min(query.limit ?? mostPageUnits, mostPageUnits);
  // The first page of what has not ended is found by its state; whoever comes again goes through many, for whom that would cost all of them each time.
  const [{ read }, values] = listingOf(spec.id, { ...query, limit }, { now, walk: query.previousName !== undefined });
  const rows = await bucket.look(read, [...values, parts, now, mostPageBytes]);
  const units: WorkUnitReading[] = [];
  // The attempts of a unit follow it.
  for (const [index, row] of rows.entries()) {
    if (row.number === null) units.push(readingOf(spec, row, attemptsAfter(rows, index), parts));
  }
  const listed = Number(rows[0]?.listed ?? 0);
  const hasMore = units.length < listed || (listed === limit && limit > 0);
  return { units, next: hasMore ? (units.at(-1)?.workUnit.key ?? null) : null };
}

function attemptsAfter(rows: readonly Row[], index: number): readonly Row[] {
  let end = index + 1;
  while (end < rows.length && rows[end]?.number !== null) end++;
  return rows.slice(index + 1, end);
}

function readingOf(spec: PostgresWorkSpec, row: Row, attempts: readonly Row[], parts: readonly WorkUnitPart[]): WorkUnitReading {
  const workUnit = new PostgresWorkUnit(spec, Number(row.id), bytes(row.name));
  return {
    workUnit,
    status: row.status as WorkUnitStatus,
    meta: { priority: Number(row.priority), notBefore: instantOrNull(row.not_before) },
    ...(parts.includes('data') && { data: decodeData(bytes(row.data)) }),
    ...(parts.includes('ownData') && { ownData: decodeData(bytes(row.own_data)) }),
    ...(parts.includes('attempts') && { attempts: attempts.map((attempt) => attemptFromRow(workUnit, attempt)) }),
  };
}
