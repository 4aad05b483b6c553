import { readFile } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
import { lookAt } from '../other-methods.js';
import type { Route } from '../route.js';
import { docsPage, docsPolicy } from './docs-page.js';
import { describeRoutes } from './document.js';

/** Serves what the table of routes has, for programs at `/openapi.json` and for people at `/docs`. Neither has anything of a queue in it, so that anybody may read them. */
export async function serveDescription(app: FastifyInstance, routes: readonly Route[]): Promise<void> {
  const version = await packageVersion();
  const document = JSON.stringify(describeRoutes(routes, version));
  const page = docsPage(routes, version);
  lookAt(app, '/openapi.json', 'nothing', (_request, reply) => reply.type('application/json').send(document));
  lookAt(app, '/docs', 'nothing', (_request, reply) =>
    reply
      .type('text/html; charset=utf-8')
      .headers({ 'content-security-policy': docsPolicy, 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
      .send(page),
  );
}

/** As far from src/ as from dist/. */
async function packageVersion(): Promise<string> {
  const text = await readFile(new URL('../../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
