import type { Attempt } from '../core/attempt/attempt.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
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

/** How many units are read at the same time. */
const atOnce = 50;
const pageSize = 500;

/**
 * The bytes of a namespace's archive, piece by piece: its work specs, their units, and what attempts have come to. Memory does not depend on
 * how many units there are. Raises Gone if the namespace goes away; work specs and units that do are left out.
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
      yield Buffer.concat(page.map((unit) => bytesOf({ kind: 'unit', ...unit })));
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

async function* unitsOf(spec: WorkSpec): AsyncGenerator<ArchivedUnit[]> {
  let previousName: Uint8Array | undefined;
  for (;;) {
    const page = await spec.workUnits({ limit: pageSize, ...(previousName !== undefined && { previousName }) });
    for (let from = 0; from < page.length; from += atOnce) {
      const some = await Promise.all(page.slice(from, from + atOnce).map(readUnit));
      yield some.filter((unit) => unit !== null);
    }
    if (page.length < pageSize) return;
    previousName = page.at(-1)?.key;
  }
}

async function readUnit(unit: WorkUnit): Promise<ArchivedUnit | null> {
  try {
    const [data, status, { priority, notBefore }, attempts] = await Promise.all([unit.ownData(), unit.status(), unit.meta(), unit.attempts()]);
    const ended = status === 'finished' || status === 'failed' ? status : null;
    return { key: unit.key, data, priority, notBefore, ended, attempts: historyOf(attempts) };
  } catch (error) {
    if (error instanceof GoneError) return null;
    throw error;
  }
}

/** A lease does not travel: what is running counts as an attempt that has expired. */
function historyOf(attempts: readonly Attempt[]): ArchivedAttempt[] {
  return attempts.map(({ worker, status, data }) => ({ worker: worker.name, status: status === 'pending' ? 'expired' : status, data }));
}
