import { decodeData } from '../../codec/index.js';
import type { Executor, Row } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import { outputUnits } from '../chaining/output-units.js';
import { bytes, instant } from '../instant.js';
import { addUnitsToSpec, type UnitToAdd } from '../work-unit/add-units.js';

/**
 * Adds the units that finished attempts' outputs ask for: those of rows with a next_spec_id, output_data and now. All of one next spec
 * in one statement; of the same name from several attempts the last one counts.
 */
export async function addOutput(bucket: Bucket, rows: readonly Row[], on: Executor): Promise<void> {
  const bySpec = new Map<number, UnitToAdd[]>();
  for (const row of rows.filter(({ next_spec_id: next }) => next !== null)) {
    const now = instant(row.now).getTime();
    const units = outputUnits(decodeData(bytes(row.output_data)).output).map(
      ({ name, data, priority, delayMs }): UnitToAdd => ({
        name,
        data,
        priority,
        notBefore: delayMs > 0 ? new Date(now + delayMs) : null,
      }),
    );
    const specId = Number(row.next_spec_id);
    bySpec.set(specId, [...(bySpec.get(specId) ?? []), ...units]);
  }
  // By id, so that two who finish attempts of several specs do not wait for each other in a circle.
  for (const [specId, units] of [...bySpec].sort(([a], [b]) => a - b)) {
    if (units.length === 0) continue;
    await addUnitsToSpec(bucket, specId, units, on, () => 'output').catch((error: unknown) => {
      // The next spec was destroyed a moment ago: a missing one is no error.
      if (!(error instanceof GoneError)) throw error;
    });
    bucket.candidates.added(specId);
  }
}
