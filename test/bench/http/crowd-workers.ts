/* A process of waiting workers: its settings come as JSON; told anything, it stops and tells what became of them. */
import { startWaitingWorkers, type WorkersSettings } from '../../rest/crowd/waiting-workers.js';

const workers = await startWaitingWorkers(JSON.parse(process.argv[2] ?? '') as WorkersSettings);
process.send?.('ready');
process.once('message', () => {
  void workers.stop().then((result) => process.send?.(result, () => process.disconnect()));
});
process.once('disconnect', () => process.exit());
