import pg from 'pg';
import type { Namespace, WorkSpec } from 'pg-coordinate';
import { unitsOf } from './measure.js';

/**
 * A steady load (as many units added as are worked off) while another transaction holds its snapshot open, so that nothing
 * that dies can be cleaned up. Resolves to units per second in each of six windows.
 */
export async function measureHeldSnapshot(
  url: string,
  namespace: Namespace,
  spec: WorkSpec,
  { seconds, batch, loops, held }: { seconds: number; batch: number; loops: number; held: boolean },
): Promise<number[]> {
  const holder = new pg.Client({ connectionString: url });
  await holder.connect();
  try {
    if (held) await holder.query('begin isolation level repeatable read');
    await holder.query('select count(*) from pg_class');
    return await workSteadily(namespace, spec, { seconds, batch, loops });
  } finally {
    await holder.query('rollback').catch(() => undefined);
    await holder.end();
  }
}

async function workSteadily(
  namespace: Namespace,
  spec: WorkSpec,
  { seconds, batch, loops }: { seconds: number; batch: number; loops: number },
): Promise<number[]> {
  const windows = 6;
  const finished = Array.from({ length: windows }, () => 0);
  const start = performance.now();
  const windowMs = (seconds * 1000) / windows;
  let serial = 0;
  const work = async (loop: number): Promise<void> => {
    const worker = await namespace.worker(`steady ${loop}`);
    for (;;) {
      const window = Math.floor((performance.now() - start) / windowMs);
      if (window >= windows) return;
      const from = serial;
      serial += batch;
      await spec.addWorkUnits(unitsOf('steady', from, batch));
      const attempts = await worker.requestAttempts({ numberOfWorkUnits: batch, workSpecs: [spec.name] });
      await namespace.finishAll(attempts.map((attempt) => ({ attempt })));
      finished[window] = (finished[window] ?? 0) + attempts.length;
    }
  };
  await Promise.all(Array.from({ length: loops }, (_, loop) => work(loop)));
  return finished.map((count) => count / (windowMs / 1000));
}
