import type { DataDictionary } from '../codec/index.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import { CoordinateError, InvalidArgumentError, NoSuchWorkSpecError } from '../errors/index.js';
import { unframe } from './framing.js';
import { archiveVersion, decodeRecord, type ArchivedMeta, type ArchivedUnit } from './record.js';
import { UnitReplay } from './unit-replay.js';

/** How an archive is read. */
export interface ImportOptions {
  /** Stops it; the reason is raised, once what was made is removed again. */
  readonly signal?: AbortSignal;
  /** Is told, after each, that one more unit is in. */
  readonly onUnit?: () => void;
}

/** What came of it. */
export interface Imported {
  readonly workSpecs: number;
  readonly units: number;
}

/** How many units are replayed together. */
const batchSize = 200;

/** A work spec whose units are in, and which is to be given its definition. */
interface ImportedSpec {
  readonly spec: WorkSpec;
  readonly data: DataDictionary;
  readonly meta: ArchivedMeta;
}

/**
 * Fills a namespace that has no work specs from an archive. All or nothing: whatever goes wrong, the work specs made so far are removed. Nothing can
 * run before all is in. Raises InvalidArgument for a namespace that is not empty, and for bytes that are no archive, or not all of one.
 *
 * @example
 * await importNamespace(await coordinate.namespace('copy'), createReadStream('shop.cbor'));
 */
export async function importNamespace(
  namespace: Namespace,
  source: AsyncIterable<Uint8Array>,
  options: ImportOptions = {},
): Promise<Imported> {
  const names = await namespace.workSpecNames();
  if (names.length > 0) throw new InvalidArgumentError('namespace', `has work specs already (${names.length}); import into an empty one`);
  const job = new Import(namespace, options);
  try {
    for await (const bytes of unframe(source)) {
      options.signal?.throwIfAborted();
      await job.read(bytes);
    }
    return await job.finish();
  } catch (error) {
    await job.undo();
    throw error;
  } finally {
    await job.close();
  }
}

class Import {
  readonly #namespace: Namespace;
  readonly #onUnit: () => void;
  readonly #replay: UnitReplay;
  readonly #specs: ImportedSpec[] = [];
  #batch: ArchivedUnit[] = [];
  #units = 0;
  #state: 'new' | 'started' | 'ended' = 'new';

  constructor(namespace: Namespace, { onUnit }: ImportOptions) {
    this.#namespace = namespace;
    this.#onUnit = onUnit ?? (() => undefined);
    this.#replay = new UnitReplay(namespace);
  }

  async read(bytes: Uint8Array): Promise<void> {
    const record = decodeRecord(bytes);
    if (record.kind === 'start') this.#start(record.version);
    else if (this.#state !== 'started') throw damaged(this.#state === 'new' ? 'it has no beginning' : 'something comes after its end');
    switch (record.kind) {
      case 'work-spec':
        await this.#flush();
        await this.#addSpec(record);
        break;
      case 'unit':
        if (this.#specs.length === 0) throw damaged('a unit comes before its work spec');
        this.#batch.push(record);
        if (this.#batch.length >= batchSize) await this.#flush();
        break;
      case 'end':
        await this.#flush();
        if (record.workSpecs !== this.#specs.length || record.units !== this.#units) throw damaged('parts of it are missing');
        this.#state = 'ended';
        break;
      case 'start':
    }
  }

  /** Only now are the work specs what they are: until then nothing of them can run. */
  async finish(): Promise<Imported> {
    if (this.#state !== 'ended') throw new InvalidArgumentError('archive', this.#state === 'new' ? 'is empty' : 'has no end: it is cut off');
    for (const { spec, data, meta } of this.#specs) {
      await spec.setData(data);
      await spec.setMeta(meta);
    }
    return { workSpecs: this.#specs.length, units: this.#units };
  }

  async undo(): Promise<void> {
    for (const { spec } of this.#specs) {
      await this.#namespace.destroyWorkSpec(spec.name).catch((error: unknown) => {
        if (!(error instanceof NoSuchWorkSpecError)) throw error;
      });
    }
  }

  close(): Promise<void> {
    return this.#replay.close();
  }

  #start(version: number): void {
    if (this.#state !== 'new') throw damaged('it begins twice');
    if (version > archiveVersion) {
      throw new InvalidArgumentError('archive', `is of version ${version}; this pg-coordinate reads up to ${archiveVersion}: update it`);
    }
    this.#state = 'started';
  }

  async #addSpec({ data, meta }: Omit<ImportedSpec, 'spec'>): Promise<void> {
    const { name } = data;
    if (this.#specs.some(({ spec }) => spec.name === name)) throw damaged('a work spec comes twice');
    try {
      // Paused, and without a next one: its units do not run yet, nor make output when their ends are replayed.
      const spec = await this.#namespace.setWorkSpec({ name, disabled: true });
      this.#specs.push({ spec, data, meta });
    } catch (error) {
      throw error instanceof CoordinateError && error.code.includes('WorkSpecName') ? damaged('a work spec has no name') : error;
    }
  }

  async #flush(): Promise<void> {
    const units = this.#batch;
    const current = this.#specs.at(-1);
    if (units.length === 0 || current === undefined) return;
    this.#batch = [];
    await this.#replay.add(current.spec, units);
    this.#units += units.length;
    units.forEach(() => this.#onUnit());
  }
}

function damaged(why: string): InvalidArgumentError {
  return new InvalidArgumentError('archive', `is damaged: ${why}`);
}
