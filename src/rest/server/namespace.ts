import type { Namespace } from '../../core/namespace/namespace.js';
import { NoSuchNamespaceError } from '../../errors/index.js';
import { decodeTextName, oldestWaitingToBody, summaryToBody, textMember, type NamespaceBody, type NamespaceListBody, type ShortBody } from '../wire/index.js';
import { created, ok, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';
import { requireRole } from './guard.js';
import { namespaceUrl } from './links.js';

export function findNamespace(exchange: Exchange): Promise<Namespace> {
  return findOrMake(namespaceName(exchange), exchange);
}

/** The same, as it was found before: only for what asks the database about what is in it. */
export function knownNamespace(exchange: Exchange): Promise<Namespace> {
  return exchange.known.namespace(namespaceName(exchange), () => findNamespace(exchange));
}

export function namespaceName({ segments }: Pick<Exchange, 'segments'>): string {
  return decodeTextName(segments.namespace ?? '');
}

/** Those that the client may look at. */
export async function listNamespaces(_: undefined, { coordinate, access }: Exchange): Promise<Answer> {
  const names = access.namespacesWith('read');
  const namespaces = await coordinate.namespaces(names === undefined ? {} : { names });
  const body: NamespaceListBody = { namespaces: namespaces.filter(({ name }) => access.may('read', name)).map(shortBody) };
  return ok(body);
}

/** The name is in the body, so that nobody has looked yet whether the client may do it. */
export async function postNamespace(_: undefined, exchange: Exchange): Promise<Answer> {
  const name = textMember(exchange.body, 'name');
  requireRole(exchange.access, 'read', name);
  return created(namespaceBody(await findOrMake(name, exchange)));
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

/** What happens from now on, until the client goes. */
export async function getEvents(namespace: Namespace, { streams, signal, isStillAllowed, lastEventId }: Exchange): Promise<Answer> {
  const client = { signal, isStillAllowed, comesAgain: lastEventId !== undefined };
  return { status: 200, stream: () => streams.open(namespace, client) };
}

export async function getOldestWaiting(namespace: Namespace): Promise<Answer> {
  return ok(oldestWaitingToBody(await namespace.oldestWaiting()));
}

/** Naming a namespace makes it, except when who does so may only look. */
async function findOrMake(name: string, { coordinate, access }: Exchange): Promise<Namespace> {
  if (access.may('produce', name) || access.may('work', name)) return coordinate.namespace(name);
  const found = (await coordinate.namespaces({ names: [name] })).find((namespace) => namespace.name === name);
  if (found === undefined) throw new NoSuchNamespaceError(name);
  return found;
}

function namespaceBody(namespace: Namespace): NamespaceBody {
  const url = namespaceUrl(namespace);
  return {
    ...shortBody(namespace),
    summary_url: `${url}/summary`,
    oldest_waiting_url: `${url}/oldest_waiting`,
    work_specs_url: `${url}/work_spec`,
    work_spec_url: `${url}/work_spec/{spec}`,
    workers_url: `${url}/worker`,
    workers_query_url: `${url}/worker{?start,limit,active}`,
    worker_url: `${url}/worker/{worker}`,
    attempt_reports_url: `${url}/attempt_reports`,
    events_url: `${url}/events`,
  };
}

function shortBody(namespace: Namespace): ShortBody {
  return { name: namespace.name, url: namespaceUrl(namespace) };
}
