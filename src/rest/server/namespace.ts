import type { Namespace } from '../../core/namespace/namespace.js';
import { decodeTextName, summaryToBody, textMember, type NamespaceBody, type NamespaceListBody, type ShortBody } from '../wire/index.js';
import { created, ok, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';
import { namespaceUrl } from './links.js';

/** Naming a namespace makes it. */
export function findNamespace({ coordinate, segments }: Exchange): Promise<Namespace> {
  return coordinate.namespace(decodeTextName(segments.namespace ?? ''));
}

export async function listNamespaces(_: undefined, { coordinate }: Exchange): Promise<Answer> {
  const body: NamespaceListBody = { namespaces: (await coordinate.namespaces()).map(shortBody) };
  return ok(body);
}

export async function postNamespace(_: undefined, { coordinate, body }: Exchange): Promise<Answer> {
  return created(namespaceBody(await coordinate.namespace(textMember(body, 'name'))));
}

export async function getNamespace(namespace: Namespace): Promise<Answer> {
  return ok(namespaceBody(namespace));
}

export async function deleteNamespace(namespace: Namespace): Promise<undefined> {
  await namespace.destroy();
}

export async function getNamespaceSummary(namespace: Namespace): Promise<Answer> {
  return ok(summaryToBody(await namespace.summarize()));
}

function namespaceBody(namespace: Namespace): NamespaceBody {
  const url = namespaceUrl(namespace);
  return {
    ...shortBody(namespace),
    summary_url: `${url}/summary`,
    work_specs_url: `${url}/work_spec`,
    work_spec_url: `${url}/work_spec/{spec}`,
    workers_url: `${url}/worker`,
    workers_query_url: `${url}/worker{?start,limit,active}`,
    worker_url: `${url}/worker/{worker}`,
    attempt_reports_url: `${url}/attempt_reports`,
  };
}

function shortBody(namespace: Namespace): ShortBody {
  return { name: namespace.name, url: namespaceUrl(namespace) };
}
