import { summaryToBody, timeToWire, type RootBody, type TimeBody } from '../wire/index.js';
import { ok, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';

const root: RootBody = {
  url: '/',
  summary_url: '/summary',
  namespaces_url: '/namespace',
  namespace_url: '/namespace/{namespace}',
  namespace_events_url: '/namespace/{namespace}/events',
  time_url: '/time',
  openapi_url: '/openapi.json',
  docs_url: '/docs',
};

/** Where there is nothing to find: the root and what belongs to it. */
export function findNothing(): undefined {
  return undefined;
}

export async function getRoot(): Promise<Answer> {
  return ok(root);
}

export async function getTime(_: undefined, { coordinate }: Exchange): Promise<Answer> {
  const body: TimeBody = { time: timeToWire(await coordinate.now()) };
  return ok(body);
}

/** Of the namespaces that the client may look at. */
export async function getSummary(_: undefined, { coordinate, access }: Exchange): Promise<Answer> {
  const summary = await coordinate.summarize();
  return ok(summaryToBody(summary.filter(({ namespace }) => access.may('read', namespace))));
}
