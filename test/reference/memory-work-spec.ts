import type { DataDictionary } from '../../src/codec/index.js';
import type { Summary } from '../../src/core/summary/summary.js';
import { metaFromData, workSpecName } from '../../src/core/work-spec/meta-from-data.js';
import { checkData as checkBySchema } from '../../src/core/schema/check-schema.js';
import { isIterable } from '../../src/core/work-spec/add-stream.js';
import type { DataSchema } from '../../src/core/work-spec/prepare-unit.js';
import type { NewWorkUnit, WorkSpec, WorkSpecData } from '../../src/core/work-spec/work-spec.js';
import type { WorkSpecMeta } from '../../src/core/work-spec/work-spec-meta.js';
import type { WorkUnitQuery } from '../../src/core/work-spec/work-unit-query.js';
import { checkUnitParts } from '../../src/core/work-unit/check-unit.js';
import { mostPageUnits, type WorkUnitPage, type WorkUnitPart, type WorkUnitReading } from '../../src/core/work-unit/work-unit-page.js';
import type { WorkUnitName } from '../../src/core/work-unit/work-unit-name.js';
import type { WorkUnitMeta } from '../../src/core/work-unit/work-unit.js';
import type { WorkUnitStatus } from '../../src/core/work-unit/work-unit-status.js';
import { BadPriorityError, ChangedNameError, NoSuchWorkUnitError } from '../../src/errors/index.js';
import { checkList, checkOptions } from '../../src/options/index.js';
import { addUnit, type UnitToAdd } from './add-units.js';
import { checkData, checkedPriority, checkedUnit, checkQuery, checkUnitName } from './arguments.js';
import { copyData } from './copy-data.js';
import { expireOverdue } from './expiry.js';
import type { MemoryNamespace } from './memory-namespace.js';
import { MemoryWorkUnit } from './memory-work-unit.js';
import { idOf } from './order.js';
import { matchingUnits } from './query.js';
import { changedMeta } from './spec-meta.js';
import { countUnits, requireSpec, type SpecRecord, type UnitRecord } from './state.js';
import { summarizeSpec } from './summarize.js';

export class MemoryWorkSpec<Data extends DataDictionary = DataDictionary, Input extends DataDictionary = Data>
  implements WorkSpec<Data, Input>
{
  readonly name: string;

  constructor(
    readonly namespace: MemoryNamespace,
    readonly record: SpecRecord,
    readonly schema?: DataSchema,
  ) {
    this.name = record.name;
  }

  async data(): Promise<WorkSpecData> {
    requireSpec(this.record);
    return copyData(this.record.data);
  }

  async setData(data: DataDictionary): Promise<void> {
    checkData(data);
    if (workSpecName(data) !== this.name) throw new ChangedNameError();
    requireSpec(this.record);
    const now = this.now();
    this.record.meta = metaFromData(data, { now, previousNextContinuous: this.record.meta.nextContinuous });
    this.record.data = copyData(data) as WorkSpecData;
  }

  async meta({ counts = false }: { readonly counts?: boolean } = {}): Promise<WorkSpecMeta> {
    const { meta } = this.looked();
    if (!counts) return structuredClone(meta);
    const count = (status: WorkUnitStatus) => countUnits(this.record, status, this.now());
    return { ...structuredClone(meta), availableCount: count('available'), pendingCount: count('pending') };
  }

  async setMeta(changes: Partial<WorkSpecMeta>): Promise<void> {
    const change = changedMeta(changes);
    requireSpec(this.record);
    this.record.meta = change(this.record.meta);
  }

  async addWorkUnit(name: WorkUnitName, data: Input, meta?: Partial<WorkUnitMeta>): Promise<MemoryWorkUnit<Data>> {
    const unit = await this.checked({ name, data, ...(meta === undefined ? {} : { meta }) }, 'data');
    return this.unit(addUnit(this.looked(), unit));
  }

  /** All or none of an array; of anything else one after another. */
  async addWorkUnits(units: readonly NewWorkUnit<Input>[] | AsyncIterable<NewWorkUnit<Input>> | Iterable<NewWorkUnit<Input>>): Promise<number> {
    if (!Array.isArray(units) && isIterable(units)) return this.addOneByOne(units);
    const checked = [];
    for (const [index, unit] of checkList(units, 'units', (item) => item).entries()) {
      checked.push(await this.checked(unit, `units[${index}].data`));
    }
    const spec = this.looked();
    return new Set(checked.map((unit) => addUnit(spec, unit))).size;
  }

  async workUnit(name: WorkUnitName): Promise<MemoryWorkUnit<Data>> {
    checkUnitName(name, 'name');
    requireSpec(this.record);
    const unit = this.record.units.get(idOf(name));
    if (unit === undefined) throw new NoSuchWorkUnitError(Buffer.from(name).toString());
    return this.unit(unit);
  }

  async workUnits(query: WorkUnitQuery = {}): Promise<MemoryWorkUnit<Data>[]> {
    return this.matching(query).map((unit) => this.unit(unit));
  }

  async readWorkUnits<Part extends WorkUnitPart = never>(query: WorkUnitQuery = {}, parts: readonly Part[] = []): Promise<WorkUnitPage<Data, Part>> {
    checkUnitParts(parts, 'parts');
    const limit = Math.min(query.limit ?? mostPageUnits, mostPageUnits);
    const found = this.matching({ ...query, limit }).map((unit) => this.unit(unit));
    const units = await Promise.all(found.map((workUnit) => reading(workUnit as unknown as MemoryWorkUnit, parts)));
    const next = limit > 0 && found.length === limit ? (found.at(-1)?.key ?? null) : null;
    return { units: units as unknown as WorkUnitPage<Data, Part>['units'], next };
  }

  async countWorkUnitStatus(): Promise<Partial<Record<WorkUnitStatus, number>>> {
    return Object.fromEntries(summarizeSpec(this.looked()).map(({ status, count }) => [status, count]));
  }

  async summarize(): Promise<Summary> {
    return summarizeSpec(this.looked());
  }

  async setWorkUnitPriorities(query: WorkUnitQuery, priority: number): Promise<void> {
    checkedPriority(priority);
    for (const unit of this.matching(query)) unit.priority = priority;
  }

  async adjustWorkUnitPriorities(query: WorkUnitQuery, by: number): Promise<void> {
    checkedPriority(by);
    const units = this.matching(query);
    if (!units.every(({ priority }) => Number.isFinite(priority + by))) throw new BadPriorityError();
    for (const unit of units) unit.priority += by;
  }

  async deleteWorkUnits(query: WorkUnitQuery = {}): Promise<number> {
    const units = this.matching(query);
    for (const { id } of units) this.record.units.delete(id);
    return units.length;
  }

  private async addOneByOne(units: AsyncIterable<unknown> | Iterable<unknown>): Promise<number> {
    let count = 0;
    for await (const unit of units) addUnit(this.looked(), await this.checked(unit, `units[${count++}].data`));
    this.looked();
    return count;
  }

  private async checked(given: unknown, field: string): Promise<UnitToAdd> {
    const unit = checkOptions(given as NewWorkUnit, 'unit', ['name', 'data', 'meta']);
    if (this.schema === undefined) return checkedUnit(unit);
    return checkedUnit({ ...unit, data: await checkBySchema(this.schema, unit.data, field) });
  }

  private matching(query: WorkUnitQuery): UnitRecord[] {
    checkQuery(query);
    return matchingUnits(this.looked(), query);
  }

  /** The spec, still there and with nothing overdue in it. */
  private looked(): SpecRecord {
    requireSpec(this.record);
    expireOverdue(this.record.namespace);
    return this.record;
  }

  private unit(unit: UnitRecord): MemoryWorkUnit<Data> {
    return new MemoryWorkUnit<Data>(this as unknown as MemoryWorkSpec<Data>, unit);
  }

  private now(): Date {
    return this.record.namespace.store.clock.now();
  }
}

async function reading(workUnit: MemoryWorkUnit, parts: readonly WorkUnitPart[]): Promise<WorkUnitReading> {
  return {
    workUnit,
    status: await workUnit.status(),
    meta: await workUnit.meta(),
    ...(parts.includes('data') && { data: await workUnit.data() }),
    ...(parts.includes('ownData') && { ownData: await workUnit.ownData() }),
    ...(parts.includes('attempts') && { attempts: await workUnit.attempts() }),
  };
}
