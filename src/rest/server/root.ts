import { summaryToBody, type RootBody } from '../wire/index.js';
import { ok, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';

const root: RootBody = {
  url: '/',
  summary_url: '/summary',
  namespaces_url: '/namespace',
  namespace_url: '/namespace/{namespace}',
};

/** Where there is nothing to find: the root and what belongs to it. */
export function findNothing(): undefined {
  return undefined;
}

export async function getRoot(): Promise<Answer> {
  return ok(root);
}

export async function getSummary(_: undefined, { coordinate }: Exchange): Promise<Answer> {
  return ok(summaryToBody(await coordinate.summarize()));
}
