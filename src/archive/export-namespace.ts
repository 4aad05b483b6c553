import type { DataDictionary } from '../codec/index.js';
import type { Attempt } from '../core/attempt/attempt.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnitReading } from '../core/work-unit/work-unit-page.js';
import { workUnitPages } from '../core/work-unit/work-unit-pages.js';
import { GoneError, NoSuchWorkSpecError } from '../errors/index.js';
import { frame } from './framing.js';
import { archivedMeta, archiveVersion, encodeRecord, type ArchivedAttempt, type ArchivedUnit, type ArchiveRecord } from './record.js';

/** How an archive is made. */
export interface ExportOptions {
  /** Stops it; the reason is raised. */
  readonly signal?: AbortSignal;
  /** Is told, after each, that one more unit is in. */
  readonly onUnit?: () => void;
}

/**
 * The bytes of a namespace's archive, piece by piece: its work specs, their units, and what attempts have come to. Memory does not depend on
 * how many units there are. Each unit is as it was at one moment. Raises Gone if the namespace goes away; work specs and units that do are left out.
 *
 * @example
 * await pipeline(exportNamespace(namespace), createWriteStream('shop.cbor'));
 */
export async function* exportNamespace(namespace: Namespace, { signal, onUnit }: ExportOptions = {}): AsyncGenerator<Buffer> {
  const bytesOf = (record: ArchiveRecord): Buffer => frame(encodeRecord(record));
  yield bytesOf({ kind: 'start', version: archiveVersion });
  let [workSpecs, units] = [0, 0];
  for (const name of await namespace.workSpecNames()) {
    signal?.throwIfAborted();
    const found = await readSpec(namespace, name);
    if (found === null) continue;
    workSpecs++;
    yield bytesOf(found.record);
    for await (const page of unitsOf(found.spec)) {
      signal?.throwIfAborted();
      units += page.length;
      yield Buffer.concat(page.map((unit) => bytesOf({ kind: 'unit', ...archivedUnit(unit) })));
      page.forEach(() => onUnit?.());
    }
  }
  yield bytesOf({ kind: 'end', workSpecs, units });
}

async function readSpec(namespace: Namespace, name: string): Promise<{ readonly spec: WorkSpec; readonly record: ArchiveRecord } | null> {
  try {
    const spec = await namespace.workSpec(name);
    return { spec, record: { kind: 'work-spec', data: await spec.data(), meta: archivedMeta(await spec.meta()) } };
  } catch (error) {
    if (error instanceof NoSuchWorkSpecError || error instanceof GoneError) return null;
    throw error;
  }
}

/** None if the work spec goes away, or no more than have come. */
async function* unitsOf(spec: WorkSpec): AsyncGenerator<readonly WorkUnitReading<DataDictionary, 'ownData' | 'attempts'>[]> {
  try {
    yield* workUnitPages(spec, {}, ['ownData', 'attempts']);
  } catch (error) {
    if (!(error instanceof GoneError)) throw error;
    // Gone as well if it was the namespace.
    await spec.namespace.workSpecNames();
  }
}

function archivedUnit({ workUnit, status, meta, ownData, attempts }: WorkUnitReading<DataDictionary, 'ownData' | 'attempts'>): ArchivedUnit {
  const ended = status === 'finished' || status === 'failed' ? status : null;
  return { key: workUnit.key, data: ownData, ...meta, ended, attempts: historyOf(attempts) };
}

/** A lease does not travel: what is running counts as an attempt that has expired. */
function historyOf(attempts: readonly Attempt[]): ArchivedAttempt[] {
  return attempts.map(({ worker, status, data }) => ({ worker: worker.name, status: status === 'pending' ? 'expired' : status, data }));
}
