import { decodeData, type DataDictionary } from '../../codec/index.js';
import { int8Array, type Row } from '../../database/index.js';
import { GoneError, InvalidArgumentError } from '../../errors/index.js';
import { attemptFromRow } from '../attempt/attempt-from-row.js';
import { cancelAttempt } from '../attempt/cancel-attempt.js';
import { countUnitAttempts, listUnitAttempts, readAttempt } from '../attempt/list-attempts.js';
import type { PostgresAttempt } from '../attempt/postgres-attempt.js';
import type { Bucket } from '../backend.js';
import { bytes, instantOrNull } from '../instant.js';
import { runAndWake } from '../notify/wake.js';
import type { PostgresWorkSpec } from '../work-spec/postgres-work-spec.js';
import { checkPriority, checkUnitMeta } from './check-unit.js';
import { explainUnit } from './explain-unit.js';
import type { Explanation } from './explanation.js';
import type { WorkUnitStatus } from './work-unit-status.js';
import { changeUnits, clearActiveAttempts, readOwnData, readUnit } from './work-unit-statements.js';
import type { WorkUnit, WorkUnitMeta } from './work-unit.js';

/** A work unit in one bucket of one database. */
export class PostgresWorkUnit<Data extends DataDictionary = DataDictionary> implements WorkUnit<Data> {
  readonly workSpec: PostgresWorkSpec<Data>;
  readonly id: number;
  /** The name, or what has it. */
  #key: Uint8Array | { readonly key: Uint8Array };

  constructor(workSpec: PostgresWorkSpec<Data>, id: number, key: Uint8Array | { readonly key: Uint8Array }) {
    this.workSpec = workSpec;
    this.id = id;
    this.#key = key;
  }

  get key(): Uint8Array {
    if (!(this.#key instanceof Uint8Array)) this.#key = this.#key.key;
    return this.#key;
  }

  get name(): string {
    return Buffer.from(this.key.buffer, this.key.byteOffset, this.key.length).toString('utf8');
  }

  get bucket(): Bucket {
    return this.workSpec.bucket;
  }

  async data(): Promise<Data> {
    return decodeData(bytes((await this.#read()).data)) as Data;
  }

  async ownData(): Promise<Data> {
    const [row] = await this.bucket.run(readOwnData, [this.id]);
    if (row === undefined) throw new GoneError();
    return decodeData(bytes(row.data)) as Data;
  }

  async status(): Promise<WorkUnitStatus> {
    return (await this.#read()).status as WorkUnitStatus;
  }

  async meta(): Promise<WorkUnitMeta> {
    const row = await this.#read();
    return { priority: Number(row.priority), notBefore: instantOrNull(row.not_before) };
  }

  async setMeta(meta: Partial<WorkUnitMeta>): Promise<void> {
    if (meta === undefined) throw new InvalidArgumentError('meta', 'must be an object, not undefined');
    const { priority, notBefore } = checkUnitMeta(meta, 'meta');
    await this.#change(priority, true, notBefore);
  }

  async priority(): Promise<number> {
    return (await this.meta()).priority;
  }

  async setPriority(priority: number): Promise<void> {
    await this.#change(checkPriority(priority), false, null);
  }

  async activeAttempt(): Promise<PostgresAttempt<Data> | null> {
    const [row] = await this.bucket.look(readAttempt, [this.id, null]);
    if (row === undefined) throw new GoneError();
    return row.number === null ? null : attemptFromRow(this, row);
  }

  async clearActiveAttempt(): Promise<void> {
    const { backend } = this.bucket;
    await this.#read();
    const clear = [clearActiveAttempts, [int8Array([this.id]), backend.now()]] as const;
    const [row] = await runAndWake(this.bucket, this.workSpec.namespace.id, clear);
    if (Number(row?.cleared) === 0) throw new GoneError();
    this.bucket.counts.count();
    this.bucket.candidates.added(this.workSpec.id);
  }

  async cancel(reason = ''): Promise<boolean> {
    return cancelAttempt(this, reason);
  }

  async attempts(): Promise<PostgresAttempt<Data>[]> {
    const rows = await this.bucket.look(listUnitAttempts, [this.id]);
    if (rows.length === 0) throw new GoneError();
    return rows.filter((row) => row.number !== null).map((row) => attemptFromRow(this, row));
  }

  async numAttempts(): Promise<number> {
    const [row] = await this.bucket.look(countUnitAttempts, [this.id]);
    if (row === undefined) throw new GoneError();
    return Number(row.attempts);
  }

  explain(): Promise<Explanation> {
    return explainUnit(this.bucket, this.workSpec.namespace.id, this.id);
  }

  async #change(priority: number, setsNotBefore: boolean, notBefore: Date | null): Promise<void> {
    await this.#read();
    const now = this.bucket.backend.now();
    const values = [int8Array([this.id]), null, priority, null, setsNotBefore, notBefore?.toISOString(), now];
    // Without its notBefore it may be available now, and with another one due sooner.
    const [row] = await (setsNotBefore
      ? runAndWake(this.bucket, this.workSpec.namespace.id, [changeUnits, values])
      : this.bucket.run(changeUnits, values));
    if (Number(row?.changed) === 0) throw new GoneError();
    this.bucket.candidates.added(this.workSpec.id);
  }

  async #read(): Promise<Row> {
    const [row] = await this.bucket.look(readUnit, [this.id, this.bucket.backend.now()]);
    if (row === undefined) throw new GoneError();
    return row;
  }
}
