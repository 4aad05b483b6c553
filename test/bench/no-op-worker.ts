/* A worker process of the benchmark: 24 slots, handlers that do nothing. Its arguments come as JSON; it stops when its parent hangs up. */
import { connect } from 'pg-coordinate';
import { createWorker } from 'pg-coordinate/worker';

const { url, schema, namespace, localQueue } = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  schema: string;
  namespace: string;
  localQueue: number;
};
const coordinate = await connect(url, { schema, pool: { max: 6 } });
const worker = createWorker({ coordinate, namespace, concurrency: 24, localQueue, handlers: { bench: () => undefined } });
process.on('disconnect', () => void worker.stop());
await worker.start();
process.send?.('ready');
await worker.ended;
await coordinate.close();
