/** Starts a server as its argument says, tells about it, and then lives on or ends. Run by child.ts. */
import { startEmbeddedPostgres, type EmbeddedPostgresOptions } from '../../../src/database/embedded/index.js';

const { options, afterwards } = JSON.parse(process.argv[2] ?? '{}') as {
  options: EmbeddedPostgresOptions;
  afterwards: 'live' | 'end' | 'stop';
};
console.log(JSON.stringify({ starting: true }));
const { url, version, stop } = await startEmbeddedPostgres(options);
console.log(JSON.stringify({ url, version }));
if (afterwards === 'stop') await stop();
if (afterwards === 'live') setInterval(() => undefined, 1_000);
