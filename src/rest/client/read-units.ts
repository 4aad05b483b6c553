import type { UnitQuery } from '../../core/work-unit/list-units.js';
import { mostPageUnits, type WorkUnitPage, type WorkUnitPart, type WorkUnitReading } from '../../core/work-unit/work-unit-page.js';
import { workUnitStatuses } from '../../core/work-unit/work-unit-status.js';
import { GoneError, UnexpectedAnswerError } from '../../errors/index.js';
import {
  asBody,
  dataFromWire,
  decodeName,
  listMember,
  member,
  textMember,
  unitKeyFromBody,
  unitMetaFromBody,
  unitPartsToParameters,
  wordMember,
  type Body,
} from '../wire/index.js';
import { Links } from './links.js';
import { AttemptReader } from './read-attempts.js';
import type { RestWorkSpec } from './rest-work-spec.js';
import { RestWorkUnit } from './rest-work-unit.js';
import { partsOf, variablesOf } from './unit-pages.js';

/** How many units are asked for at the same time at a server that tells of one at a time. */
const singlyAtOnce = 8;

/** A page of units in one request. One that names more units than a URL holds is about the first of them. */
export async function readUnits(spec: RestWorkSpec, links: Links, query: UnitQuery, parts: readonly WorkUnitPart[]): Promise<WorkUnitPage> {
  const { previousName } = query;
  const after = query.names?.filter((name) => previousName === undefined || Buffer.compare(name, previousName) > 0);
  const [part, ...others] = partsOf({ ...query, ...(after && { names: after }) });
  if (part === undefined) return { units: [], next: null };
  const { connection } = spec.namespace;
  const url = links.url('work_unit_read_url', { ...variablesOf(part), with: unitPartsToParameters(parts) });
  const { body } = await connection.get(url);
  const items = listMember(body, 'work_units').map((item) => asBody(item, 'a work unit'));
  const units = await Promise.all(items.map((item) => readingFromBody(spec, item, url, parts)));
  const next = textMember(body, 'next');
  if (next !== '') return { units, next: decodeName(next) };
  return { units, next: others.length > 0 ? (part.names?.at(-1) ?? null) : null };
}

/** The same at a server that only speaks the protocol: a request or two for each unit, which may change between them. */
export async function readUnitsSingly(spec: RestWorkSpec, query: UnitQuery, parts: readonly WorkUnitPart[]): Promise<WorkUnitPage> {
  const limit = Math.min(query.limit ?? mostPageUnits, mostPageUnits);
  const found = await spec.workUnits({ ...query, limit });
  const readings: (WorkUnitReading | null)[] = [];
  for (let from = 0; from < found.length; from += singlyAtOnce) {
    readings.push(...(await Promise.all(found.slice(from, from + singlyAtOnce).map((unit) => unit.read(parts).catch(nullIfGone)))));
  }
  const next = found.length === limit ? (found.at(-1)?.key ?? null) : null;
  return { units: readings.filter((reading) => reading !== null), next };
}

async function readingFromBody(spec: RestWorkSpec, body: Body, base: URL, parts: readonly WorkUnitPart[]): Promise<WorkUnitReading> {
  const workUnit = new RestWorkUnit(spec, unitKeyFromBody(body), new Links(body, base).url('url'));
  const status = wordMember(body, 'status', workUnitStatuses);
  const meta = unitMetaFromBody(body);
  if (status === undefined || meta === undefined) throw new UnexpectedAnswerError(base.origin + base.pathname, 'it gives a unit no status or meta');
  const reader = new AttemptReader(spec.namespace, { workUnit });
  const attempts = parts.includes('attempts') ? listMember(body, 'attempts').map((item) => reader.read(asBody(item, 'an attempt'), base)) : [];
  return {
    workUnit,
    status,
    meta,
    ...(parts.includes('data') && { data: dataFromWire(member(body, 'data'), 'data') }),
    ...(parts.includes('ownData') && { ownData: dataFromWire(member(body, 'own_data'), 'own_data') }),
    ...(parts.includes('attempts') && { attempts: await Promise.all(attempts) }),
  };
}

function nullIfGone(error: unknown): null {
  if (error instanceof GoneError) return null;
  throw error;
}
