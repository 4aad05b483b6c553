import { createServer, request, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a server that knows nothing but the protocol does not have in its bodies. */
const additions = new Set([
  'number', 'key', 'code', 'details', 'work_spec_name', 'work_unit_name', 'work_unit_key', 'worker_name', 'meta_change_url',
  'work_unit_batch_url', 'work_unit_read_url', 'time_url', 'make_attempts_url', 'oldest_waiting_url', 'explain_url', 'cancel_url', 'attempts_query_url', 'num_attempts_url', 'attempt_reports_url', 'events_url', 'namespace_events_url', 'workers_url',
  'workers_query_url', 'all_attempts_query_url', 'active_attempts_query_url', 'child_attempts_query_url', 'child_names',
]);

const additionalPaths = /\/(work_units|read|time|make_attempts|oldest_waiting|attempt_reports|explain|cancel)(?:\?|$)/;

/** A server of the protocol and nothing more: it passes on to one of ours, and takes away what that adds. It notes what it should not have been asked. */
export async function plainServer(to: string): Promise<{ url: string; asked: string[]; stop: () => Promise<void> }> {
  const asked: string[] = [];
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const { method = 'GET', url = '/', headers } = incoming;
      if (method === 'PATCH' || additionalPaths.test(url) || /[?&](full|after)=/.test(url)) asked.push(`${method} ${url}`);
      const accept = (headers.accept ?? '*/*').split(',').filter((type) => !type.includes('cbor')).join(',');
      const passed = request(new URL(url, to), { method, headers: { ...headers, accept, host: new URL(to).host } });
      passed.end(await bytesOf(incoming));
      const answer = await new Promise<IncomingMessage>((resolve) => passed.once('response', resolve));
      const bytes = await bytesOf(answer);
      const body = bytes.length === 0 ? bytes : Buffer.from(JSON.stringify(JSON.parse(bytes.toString()), plain));
      outgoing.writeHead(answer.statusCode ?? 500, { 'content-type': String(answer.headers['content-type']), 'content-length': body.length });
      outgoing.end(body);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    asked,
    stop: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** Names of units and data of the tests have no such keys. */
function plain(key: string, value: unknown): unknown {
  if (!additions.has(key)) return value;
  return undefined;
}

async function bytesOf(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
