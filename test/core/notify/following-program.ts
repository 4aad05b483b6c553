/** Follows the events of a namespace, and does nothing else. Run by following.test.ts. */
import { connect } from '../../../src/index.js';

const [url = '', schema = '', name = '', application = ''] = process.argv.slice(2);
const coordinate = await connect(url, { schema, pool: { application_name: application, idleTimeoutMillis: 1 } });
const events = (await coordinate.namespace(name)).events();
await events.ready;
console.log('ready');
for await (const event of events) {
  console.log(event.kind);
  if (event.kind === 'added') break;
}
await coordinate.close();
console.log('closed');
