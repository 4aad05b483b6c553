import type { Namespace } from '../../core/namespace/namespace.js';
import type { WorkSpec } from '../../core/work-spec/work-spec.js';
import { MissingDataError } from '../../errors/index.js';
import {
  dataToWire,
  decodeTextName,
  isTrue,
  member,
  metaChangeFromBody,
  metaFromBody,
  metaToBody,
  optionalDataFromWire,
  summaryToBody,
  unitMetaFromBody,
  unitQueryFromParameters,
  unitQueryTemplate,
  ValueBudget,
  unitReadTemplate,
  type Format,
  type ShortBody,
  type WorkSpecBody,
  type WorkSpecListBody,
} from '../wire/index.js';
import { created, ok, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';
import { workSpecUrl } from './links.js';
import { findNamespace, namespaceName } from './namespace.js';

export async function findWorkSpec(exchange: Exchange): Promise<WorkSpec> {
  const name = decodeTextName(exchange.segments.spec ?? '');
  return exchange.known.workSpec(namespaceName(exchange), name, () => findNamespace(exchange));
}

export async function listWorkSpecs(namespace: Namespace): Promise<Answer> {
  const names = await namespace.workSpecNames();
  const body: WorkSpecListBody = { work_specs: names.map((name) => shortBody({ namespace, name })) };
  return ok(body);
}

export async function postWorkSpec(namespace: Namespace, { body }: Exchange): Promise<Answer> {
  const data = optionalDataFromWire(member(body, 'data'), 'data', new ValueBudget());
  if (data === undefined) throw new MissingDataError();
  return created(shortBody(await namespace.setWorkSpec(data)));
}

export async function getWorkSpec(spec: WorkSpec, { format }: Exchange): Promise<Answer> {
  return ok(await workSpecBody(spec, format));
}

/** Without data there is nothing to change. */
export async function putWorkSpec(spec: WorkSpec, { body }: Exchange): Promise<undefined> {
  const data = optionalDataFromWire(member(body, 'data'), 'data', new ValueBudget());
  if (data !== undefined) await spec.setData(data);
}

export async function deleteWorkSpec(spec: WorkSpec): Promise<undefined> {
  await spec.namespace.destroyWorkSpec(spec.name);
}

export async function getMeta(spec: WorkSpec, { query }: Exchange): Promise<Answer> {
  return ok(metaToBody(await spec.meta({ counts: isTrue(query.get('counts')) })));
}

export async function putMeta(spec: WorkSpec, { body }: Exchange): Promise<undefined> {
  await spec.setMeta(metaFromBody(body));
}

export async function patchMeta(spec: WorkSpec, { body }: Exchange): Promise<undefined> {
  await spec.setMeta(metaChangeFromBody(body));
}

export async function getCounts(spec: WorkSpec): Promise<Answer> {
  return ok(await spec.countWorkUnitStatus());
}

export async function getWorkSpecSummary(spec: WorkSpec): Promise<Answer> {
  return ok(summaryToBody(await spec.summarize()));
}

/** Without a meta there is nothing to change, here and in `postAdjust`. */
export async function postChange(spec: WorkSpec, { query, body }: Exchange): Promise<undefined> {
  const units = unitQueryFromParameters(query);
  const meta = unitMetaFromBody(body);
  if (meta !== undefined) await spec.setWorkUnitPriorities(units, meta.priority);
}

export async function postAdjust(spec: WorkSpec, { query, body }: Exchange): Promise<undefined> {
  const units = unitQueryFromParameters(query);
  const meta = unitMetaFromBody(body);
  if (meta !== undefined) await spec.adjustWorkUnitPriorities(units, meta.priority);
}

async function workSpecBody(spec: WorkSpec, format: Format): Promise<WorkSpecBody> {
  const url = workSpecUrl(spec);
  return {
    ...shortBody(spec),
    data: dataToWire(await spec.data(), format),
    summary_url: `${url}/summary`,
    meta: `${url}/meta{?counts}`,
    meta_change_url: `${url}/meta`,
    work_units_url: `${url}/work_unit`,
    work_unit_query_url: `${url}/work_unit${unitQueryTemplate}`,
    work_unit_url: `${url}/work_unit/{unit}`,
    work_unit_counts_url: `${url}/counts`,
    work_unit_change_url: `${url}/change${unitQueryTemplate}`,
    work_unit_adjust_url: `${url}/adjust${unitQueryTemplate}`,
    work_unit_batch_url: `${url}/work_units`,
    work_unit_read_url: `${url}/read${unitReadTemplate}`,
  };
}

function shortBody(spec: Pick<WorkSpec, 'namespace' | 'name'>): ShortBody {
  return { name: spec.name, url: workSpecUrl(spec) };
}
