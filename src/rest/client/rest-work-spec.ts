import { encodeData, type DataDictionary } from '../../codec/index.js';
import type { TransactionOptions } from '../../core/coordinate.js';
import type { Summary } from '../../core/summary/summary.js';
import { addStream, isIterable } from '../../core/work-spec/add-stream.js';
import { checkSpecMeta } from '../../core/work-spec/check-meta.js';
import { workSpecName } from '../../core/work-spec/meta-from-data.js';
import { prepareItem, prepareUnit, type DataSchema } from '../../core/work-spec/prepare-unit.js';
import type { WorkSpecMeta } from '../../core/work-spec/work-spec-meta.js';
import type { AddStreamOptions, NewWorkUnit, WorkSpec, WorkSpecData } from '../../core/work-spec/work-spec.js';
import type { WorkUnitQuery } from '../../core/work-spec/work-unit-query.js';
import { checkPriority, checkUnitName, checkUnitParts, checkUnitQuery } from '../../core/work-unit/check-unit.js';
import type { UnitQuery } from '../../core/work-unit/list-units.js';
import { UnitBatch, type EncodedUnit } from '../../core/work-unit/unit-batch.js';
import type { WorkUnitName } from '../../core/work-unit/work-unit-name.js';
import type { WorkUnitPage, WorkUnitPart } from '../../core/work-unit/work-unit-page.js';
import { workUnitStatuses, type WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import type { WorkUnitMeta } from '../../core/work-unit/work-unit.js';
import { ChangedNameError, InvalidArgumentError } from '../../errors/index.js';
import { checkBoolean, checkInteger, checkOptions, kindOf } from '../../options/index.js';
import {
  asBody,
  dataFromWire,
  encodeName,
  integerMember,
  listMember,
  metaChangeToBody,
  metaFromBody,
  metaToBody,
  summaryFromBody,
  textMember,
  unitKeyFromBody,
  unitMetaToBody,
} from '../wire/index.js';
import { AddBuffer } from './add-buffer.js';
import type { Connection, Resource } from './connection.js';
import type { Links } from './links.js';
import { nameToWire } from './name-to-wire.js';
import { readUnits, readUnitsSingly } from './read-units.js';
import { refuseTransaction } from './refuse-transaction.js';
import type { RestNamespace } from './rest-namespace.js';
import { RestWorkUnit } from './rest-work-unit.js';
import { matchesNothing, partsOf, variablesOf } from './unit-pages.js';

/** How many batches of a stream of units are in flight at most. */
const mostInFlight = 2;

/** How many units are added at the same time at a server that takes one at a time. */
const singlyAtOnce = 8;

/** A work spec that is reached over HTTP. */
export class RestWorkSpec<Data extends DataDictionary = DataDictionary, Input extends DataDictionary = Data>
  implements WorkSpec<Data, Input>
{
  readonly namespace: RestNamespace;
  readonly name: string;
  readonly url: URL;
  readonly #schema: DataSchema;
  readonly #adds = new AddBuffer((batch) => this.#write(batch));
  #links: Links | undefined;

  constructor(namespace: RestNamespace, name: string, url: URL, { schema, links }: { schema?: DataSchema; links?: Links } = {}) {
    this.namespace = namespace;
    this.name = name;
    this.url = url;
    this.#schema = schema;
    this.#links = links;
  }

  async data(): Promise<WorkSpecData> {
    return this.#use(async () => dataFromWire((await this.#get()).body.data, 'data') as WorkSpecData);
  }

  async setData(data: DataDictionary): Promise<void> {
    await this.#use(async () => {
      const encoded = encodeData(data, 'data');
      if (workSpecName(data) !== this.name) throw new ChangedNameError();
      await this.#connection.ask('PUT', this.url, { body: { data: this.#connection.encodedToWire(encoded) } });
    });
  }

  async meta(options?: { readonly counts?: boolean }): Promise<WorkSpecMeta> {
    return this.#use(async () => {
      const { counts = false } = checkOptions(options, 'options', ['counts']);
      return this.#meta(checkBoolean(counts, 'options.counts'));
    });
  }

  /** At a server that only speaks the protocol it is read and replaced, so that a change at the same time may be lost. */
  async setMeta(meta: Partial<WorkSpecMeta>): Promise<void> {
    await this.#use(async () => {
      const change = checkSpecMeta(meta, 'meta');
      const links = await this.#linked();
      if (links.has('meta_change_url')) {
        await this.#connection.ask('PATCH', links.url('meta_change_url'), { body: metaChangeToBody(change) });
      } else {
        const body = metaToBody({ ...(await this.#meta(false)), ...change });
        await this.#connection.ask('PUT', links.url('meta'), { body });
      }
    });
  }

  async addWorkUnit(
    name: WorkUnitName,
    data: Input,
    meta?: Partial<WorkUnitMeta>,
    options?: TransactionOptions,
  ): Promise<RestWorkUnit<Data>> {
    return this.#use(async () => {
      refuseTransaction(options);
      const fields = { name: 'name', data: 'data', meta: 'meta' };
      const prepared = prepareUnit({ name, data, ...(meta !== undefined && { meta }) }, fields, this.#schema);
      const unit = prepared instanceof Promise ? await prepared : prepared;
      await this.#adds.add(unit);
      return this.#unit(unit.name, await this.#unitUrl(unit.name));
    });
  }

  /** At a server that only speaks the protocol the units of an array are added one by one: not all or none. */
  async addWorkUnits(
    units: readonly NewWorkUnit<Input>[] | AsyncIterable<NewWorkUnit<Input>> | Iterable<NewWorkUnit<Input>>,
    options?: AddStreamOptions,
  ): Promise<number> {
    return this.#use(async () => {
      if (Array.isArray(units)) return this.#addAll(units, options);
      if (!isIterable(units)) throw new InvalidArgumentError('units', `must be an array or an iterable, not ${kindOf(units)}`);
      return this.#addStream(units, options);
    });
  }

  async workUnit(name: WorkUnitName): Promise<RestWorkUnit<Data>> {
    return this.#use(async () => {
      const key = checkUnitName(name, 'name');
      const url = await this.#unitUrl(key);
      return this.#unit(key, url, (await this.#connection.get(url)).links);
    });
  }

  async workUnits(query?: WorkUnitQuery): Promise<RestWorkUnit<Data>[]> {
    return this.#use(() => this.#list(checkUnitQuery(query, 'query')));
  }

  async readWorkUnits<Part extends WorkUnitPart = never>(query?: WorkUnitQuery, parts?: readonly Part[]): Promise<WorkUnitPage<Data, Part>> {
    const page = await this.#use(async (): Promise<WorkUnitPage> => {
      const [checked, wanted] = [checkUnitQuery(query, 'query'), checkUnitParts(parts, 'parts')];
      const spec = this as unknown as RestWorkSpec;
      if (matchesNothing(checked)) {
        await this.#get();
        return { units: [], next: null };
      }
      const links = await this.#linked();
      return links.has('work_unit_read_url') ? readUnits(spec, links, checked, wanted) : readUnitsSingly(spec, checked, wanted);
    });
    return page as unknown as WorkUnitPage<Data, Part>;
  }

  async countWorkUnitStatus(): Promise<Partial<Record<WorkUnitStatus, number>>> {
    return this.#use(async () => {
      const { body } = await this.#connection.get((await this.#linked()).url('work_unit_counts_url'));
      const counts = workUnitStatuses.map((status) => [status, Number(integerMember(body, status))] as const);
      return Object.fromEntries(counts.filter(([, count]) => count > 0));
    });
  }

  async summarize(): Promise<Summary> {
    return this.#use(async () => summaryFromBody(await this.#connection.ask('GET', (await this.#linked()).url('summary_url'))));
  }

  async setWorkUnitPriorities(query: WorkUnitQuery, priority: number): Promise<void> {
    const to = checkPriority(priority);
    await this.#use(() => this.#change('work_unit_change_url', checkUnitQuery(query, 'query'), to));
  }

  async adjustWorkUnitPriorities(query: WorkUnitQuery, by: number): Promise<void> {
    const change = checkPriority(by);
    await this.#use(() => this.#change('work_unit_adjust_url', checkUnitQuery(query, 'query'), change));
  }

  async deleteWorkUnits(query?: WorkUnitQuery): Promise<number> {
    return this.#use(async () => {
      const checked = checkUnitQuery(query, 'query');
      let deleted = 0;
      await this.#forEachPart(checked, async (part, links) => {
        const limit = checked.limit === undefined ? {} : { limit: checked.limit - deleted };
        if (limit.limit === 0) return;
        const answer = await this.#connection.ask('DELETE', links.url('work_unit_query_url', variablesOf({ ...part, ...limit })));
        deleted += Number(integerMember(asBody(answer, 'the answer'), 'Deleted'));
      });
      return deleted;
    });
  }

  #use<T>(work: () => Promise<T>): Promise<T> {
    return this.#connection.use(work, 'workSpec');
  }

  get #connection(): Connection {
    return this.namespace.connection;
  }

  async #get(): Promise<Resource> {
    const resource = await this.#connection.get(this.url);
    this.#links = resource.links;
    return resource;
  }

  async #linked(): Promise<Links> {
    return this.#links ?? (await this.#get()).links;
  }

  async #meta(counts: boolean): Promise<WorkSpecMeta> {
    const url = (await this.#linked()).url('meta', counts ? { counts: 'true' } : {});
    return metaFromBody((await this.#connection.get(url)).body);
  }

  async #addAll(units: readonly unknown[], options: TransactionOptions | undefined): Promise<number> {
    refuseTransaction(options);
    const batch = new UnitBatch();
    // By index: the holes of a sparse array are visited, too.
    for (let index = 0; index < units.length; index++) {
      const prepared = prepareItem(units[index], `units[${index}]`, this.#schema);
      batch.add(prepared instanceof Promise ? await prepared : prepared);
    }
    if (units.length > 0) await this.#write(batch);
    else await this.#get();
    return batch.units.length;
  }

  async #addStream(units: Iterable<unknown> | AsyncIterable<unknown>, options: AddStreamOptions | undefined): Promise<number> {
    const { client, batchSize, signal } = checkOptions(options, 'options', ['client', 'batchSize', 'signal']);
    if (client !== undefined) refuseTransaction({ client });
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw new InvalidArgumentError('options.signal', `must be an AbortSignal, not ${kindOf(signal)}`);
    }
    const count = await addStream(units, {
      prepare: (item, index) => prepareItem(item, `units[${index}]`, this.#schema),
      write: (batch) => this.#write(batch),
      ...(signal && { signal }),
      mostInFlight,
      ...(batchSize !== undefined && { batchSize: checkInteger(batchSize, 'options.batchSize', { least: 1 }) }),
    });
    if (count === 0) await this.#get();
    return count;
  }

  /** Adds units whose names all differ: in one request, if the server takes many at once. */
  async #write({ units }: UnitBatch): Promise<void> {
    const links = await this.#linked();
    const bodies = units.map((unit) => this.#unitBody(unit));
    if (links.has('work_unit_batch_url')) {
      await this.#connection.ask('POST', links.url('work_unit_batch_url'), { body: { work_units: bodies } });
      return;
    }
    const url = links.url('work_units_url');
    const left = bodies.reverse();
    const addNext = async (): Promise<void> => {
      for (let body = left.pop(); body !== undefined; body = left.pop()) await this.#connection.ask('POST', url, { body });
    };
    await Promise.all(Array.from({ length: singlyAtOnce }, addNext));
  }

  #unitBody({ name, data, priority, notBefore }: EncodedUnit): object {
    return {
      name: nameToWire(name, this.#connection.format, 'name'),
      data: this.#connection.encodedToWire(data),
      meta: unitMetaToBody({ priority, notBefore }),
    };
  }

  async #list(query: UnitQuery): Promise<RestWorkUnit<Data>[]> {
    const units: RestWorkUnit<Data>[] = [];
    await this.#forEachPart(query, async (part, links) => {
      const limit = query.limit === undefined ? {} : { limit: query.limit - units.length };
      if (limit.limit === 0) return;
      const { body, links: found } = await this.#connection.get(links.url('work_unit_query_url', variablesOf({ ...part, ...limit })));
      for (const item of listMember(body, 'work_units')) {
        const short = asBody(item, 'a work unit');
        units.push(this.#unit(unitKeyFromBody(short), found.resolve(textMember(short, 'url'))));
      }
    });
    return query.limit === undefined ? units : units.slice(0, query.limit);
  }

  async #change(link: string, query: UnitQuery, priority: number): Promise<void> {
    const { limit, ...unlimited } = query;
    // A limit holds for all parts together: which units it leaves must be known before.
    const isInParts = limit !== undefined && partsOf(query).length > 1;
    const whole = isInParts ? { ...unlimited, names: (await this.#list(query)).map(({ key }) => key) } : query;
    const body = { meta: unitMetaToBody({ priority, notBefore: null }) };
    await this.#forEachPart(whole, async (part, links) => {
      await this.#connection.ask('POST', links.url(link, variablesOf(part)), { body });
    });
  }

  /** One part after another; one that matches nothing still learns that the spec is gone. */
  async #forEachPart(query: UnitQuery, work: (part: UnitQuery, links: Links) => Promise<void>): Promise<void> {
    if (matchesNothing(query)) {
      await this.#get();
      return;
    }
    const links = await this.#linked();
    for (const part of partsOf(query)) await work(part, links);
  }

  async #unitUrl(key: Uint8Array): Promise<URL> {
    return (await this.#linked()).url('work_unit_url', { unit: encodeName(key) });
  }

  #unit(key: Uint8Array, url: URL, links?: Links): RestWorkUnit<Data> {
    // What the spec takes is no part of a unit's type.
    return new RestWorkUnit<Data>(this as unknown as RestWorkSpec<Data>, key, url, links);
  }
}
