import type { DataDictionary } from '../../codec/index.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import type { WorkUnitPart, WorkUnitReading } from '../../core/work-unit/work-unit-page.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';
import { NoSuchWorkUnitError } from '../../errors/index.js';
import { maxNameBytes } from '../../options/index.js';
import {
  dataToWire,
  decodeName,
  encodeName,
  explanationToBody,
  member,
  newUnitFromBody,
  noAttemptUrl,
  textMember,
  unitBatchFromBody,
  unitMetaFromBody,
  unitMetaToBody,
  unitNameToBody,
  unitPartsFromParameters,
  unitQueryFromParameters,
  type AddedBody,
  type DeletedBody,
  type Format,
  type WorkUnitBody,
  type WorkUnitListBody,
  type WorkUnitPageBody,
  type WorkUnitReadingBody,
  type WorkUnitShortBody,
} from '../wire/index.js';
import { created, ok, type Answer } from './answer.js';
import { attemptBody, attemptListBody } from './attempt-bodies.js';
import type { Exchange } from './exchange.js';
import { attemptUrl, workSpecUrl, workUnitUrl } from './links.js';
import { firstUnits, furtherUnits, mostListedUnits } from './list-units.js';
import { findWorkSpec } from './work-spec.js';

/** A reading of any parts. */
type AnyReading = WorkUnitReading & Partial<Pick<WorkUnitReading<DataDictionary, WorkUnitPart>, WorkUnitPart>>;

export async function findWorkUnit(exchange: Exchange): Promise<WorkUnit> {
  const key = decodeName(exchange.segments.unit ?? '');
  const spec = await findWorkSpec(exchange);
  // No unit can have such a name, so there is none.
  if (key.length < 1 || key.length > maxNameBytes) throw new NoSuchWorkUnitError(key.toString('utf8'));
  return spec.workUnit(key);
}

export async function listWorkUnits(spec: WorkSpec, { query }: Exchange): Promise<Answer> {
  const asked = unitQueryFromParameters(query);
  const first = await firstUnits(spec, asked);
  const body: WorkUnitListBody = { work_units: first.map(shortBody) };
  // The most there are of a usual list; a longer one is read while it is sent.
  if (first.length < mostListedUnits) return ok(body);
  const pages = async function* (): AsyncGenerator<readonly WorkUnitShortBody[]> {
    yield body.work_units;
    for await (const units of furtherUnits(spec, asked, first)) yield units.map(shortBody);
  };
  return { status: 200, list: { member: 'work_units', pages: pages() } };
}

export async function readWorkUnits(spec: WorkSpec, { query, format }: Exchange): Promise<Answer> {
  const { units, next } = await spec.readWorkUnits(unitQueryFromParameters(query), unitPartsFromParameters(query));
  const body: WorkUnitPageBody = { work_units: units.map((unit) => readingBody(unit, format)), ...(next !== null && { next: encodeName(next) }) };
  return ok(body);
}

export async function deleteWorkUnits(spec: WorkSpec, { query }: Exchange): Promise<Answer> {
  const body: DeletedBody = { Deleted: await spec.deleteWorkUnits(unitQueryFromParameters(query)) };
  return ok(body);
}

export async function postWorkUnit(spec: WorkSpec, { body }: Exchange): Promise<Answer> {
  const { name, data, meta } = newUnitFromBody(body);
  return created(shortBody(await spec.addWorkUnit(name, data, meta)));
}

export async function postWorkUnits(spec: WorkSpec, { body }: Exchange): Promise<Answer> {
  const added: AddedBody = { added: await spec.addWorkUnits(unitBatchFromBody(body)) };
  return ok(added);
}

export async function getWorkUnit(unit: WorkUnit, { format }: Exchange): Promise<Answer> {
  return ok(await workUnitBody(unit, format));
}

export async function putWorkUnit(unit: WorkUnit, { body }: Exchange): Promise<undefined> {
  const meta = unitMetaFromBody(body);
  if (member(body, 'active_attempt_url') === noAttemptUrl) await unit.clearActiveAttempt();
  if (meta !== undefined) await unit.setMeta(meta);
}

export async function deleteWorkUnit(unit: WorkUnit): Promise<undefined> {
  await unit.workSpec.deleteWorkUnits({ names: [unit.key] });
}

export async function getUnitAttempts(unit: WorkUnit, exchange: Exchange): Promise<Answer> {
  return ok(attemptListBody(await unit.attempts(), exchange));
}

export async function getNumAttempts(unit: WorkUnit): Promise<Answer> {
  return ok(await unit.numAttempts());
}

export async function getExplanation(unit: WorkUnit): Promise<Answer> {
  return ok(explanationToBody(await unit.explain()));
}

export async function postCancel(unit: WorkUnit, { body }: Exchange): Promise<Answer> {
  return ok({ cancelled: await unit.cancel(textMember(body, 'reason')) });
}

async function workUnitBody(unit: WorkUnit, format: Format): Promise<WorkUnitBody> {
  const [data, ownData, meta, status, active] = await Promise.all([unit.data(), unit.ownData(), unit.meta(), unit.status(), unit.activeAttempt()]);
  const url = workUnitUrl(unit);
  return {
    ...shortBody(unit),
    ...(Object.keys(data).length > 0 && { data: dataToWire(data, format) }),
    ...(active !== null && { own_data: dataToWire(ownData, format) }),
    meta: unitMetaToBody(meta),
    status,
    work_spec_url: workSpecUrl(unit.workSpec),
    ...(active !== null && { active_attempt_url: attemptUrl(active) }),
    attempts_url: `${url}/attempts`,
    attempts_query_url: `${url}/attempts{?full}`,
    num_attempts_url: `${url}/num-attempts`,
    explain_url: `${url}/explain`,
    cancel_url: `${url}/cancel`,
  };
}

/** `data` and the like are there only if they were asked for. */
function readingBody({ workUnit, status, meta, data, ownData, attempts }: AnyReading, format: Format): WorkUnitReadingBody {
  return {
    ...shortBody(workUnit),
    status,
    meta: unitMetaToBody(meta),
    ...(data !== undefined && { data: dataToWire(data, format) }),
    ...(ownData !== undefined && { own_data: dataToWire(ownData, format) }),
    ...(attempts !== undefined && { attempts: attempts.map((attempt) => attemptBody(attempt, attempt, format)) }),
  };
}

function shortBody(unit: WorkUnit): WorkUnitShortBody {
  return { ...unitNameToBody(unit.key), url: workUnitUrl(unit) };
}
