import { createHash } from 'node:crypto';
import type { Description, Route } from '../route.js';
import { schemas } from './schemas.js';

const style = `:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px/1.5 ui-monospace,monospace}pre{overflow:auto;padding:.75rem;border:1px solid #8886;border-radius:4px}
h2{margin-top:2.5rem;border-bottom:1px solid #8886}summary{cursor:pointer;padding:.3rem 0}summary code{overflow-wrap:anywhere}
.method{display:inline-block;min-width:4.5rem;font-weight:600}.role{opacity:.75}.does{margin-left:4.8rem}dl{margin:.3rem 0 .8rem 4.8rem}dd{margin-left:1.5rem}`;

/** Nothing but the page's own style is ever loaded, and nothing is run. */
export const docsPolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** What can be done with the server, as a page for people: without scripts, and with nothing from elsewhere. */
export function docsPage(routes: readonly Route[], version: string): string {
  const operations = routes.flatMap((route) => [...route.operations].map(([method, operation]) => operationHtml(route.path, method, operation)));
  const bodies = Object.entries(schemas).map(
    ([name, schema]) => `<h3 id="${name}"><code>${name}</code></h3><pre>${linked(escape(JSON.stringify(schema, null, 2)))}</pre>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>pg-coordinate</title><style>${style}</style>
<h1>pg-coordinate ${escape(version)}</h1>
<p>Begin at <code>/</code> and follow the links; paths may change, the names of links do not. Bodies are JSON, or <code>application/cbor</code>. The same for programs:
<a href="/openapi.json">openapi.json</a>. Where the server has tokens, send one as <code>Authorization: Bearer</code>; the role that it must have is said in brackets.</p>
<h2>What can be done</h2>${operations.join('')}
<h2>Bodies</h2>${bodies.join('')}</html>`;
}

function operationHtml(path: string, method: string, { needs, does, takes, query = [], answers, streams, creates }: Description): string {
  const parameters = query.map(({ name, description }) => `<dd><code>?${escape(name)}</code> ${escape(description)}</dd>`);
  const status = creates === true ? '201' : '200';
  const body = answers === undefined ? '204, no body' : `${status} ${link(answers)}`;
  const answered = streams === undefined ? body : `200 and a stream of ${link(streams)}`;
  return `<details><summary><span class="method">${method}</span> <code>${escape(path)}</code> <span class="role">[${needs}]</span><div class="does">${escape(does)}</div></summary><dl>
${parameters.length > 0 ? `<dt>Query</dt>${parameters.join('')}` : ''}${takes === undefined ? '' : `<dt>Takes</dt><dd>${link(takes)}</dd>`}
<dt>Answers</dt><dd>${answered}; else an ${link('Error')}</dd></dl></details>`;
}

function link(name: string): string {
  return `<a href="#${name}"><code>${name}</code></a>`;
}

function linked(html: string): string {
  return html.replaceAll(/#\/components\/schemas\/(\w+)/g, '<a href="#$1">$1</a>');
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
