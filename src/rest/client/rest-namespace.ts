import { encodeData, type DataDictionary } from '../../codec/index.js';
import type { AttemptReport, AttemptVerdict, EndAllOptions, RenewReport } from '../../core/attempt/attempt-report.js';
import { defaultLifetimeMs } from '../../core/attempt/lifetime.js';
import type { WorkerListOptions } from '../../core/namespace/namespace.js';
import type { EventfulNamespace, EventsOptions } from '../../core/notify/event-stream.js';
import { schemaOf, type SchemaOptions } from '../../core/schema/schema-options.js';
import type { SchemaInput, SchemaOutput, StandardSchema } from '../../core/schema/standard-schema.js';
import type { OldestWaiting } from '../../core/summary/oldest-waiting.js';
import type { Summary } from '../../core/summary/summary.js';
import { workSpecName } from '../../core/work-spec/meta-from-data.js';
import { NotOfferedError } from '../../errors/index.js';
import { checkBoolean, checkDuration, checkInteger, checkName, checkOptions } from '../../options/index.js';
import { asBody, encodeName, listMember, oldestWaitingFromBody, summaryFromBody, textMember, type ShortBody } from '../wire/index.js';
import type { Connection } from './connection.js';
import type { Links } from './links.js';
import { refuseTransaction } from './refuse-transaction.js';
import { reportAll } from './report-all.js';
import { RestEvents } from './rest-events.js';
import type { RestCoordinate } from './rest-coordinate.js';
import { RestWorkSpec } from './rest-work-spec.js';
import { RestWorker } from './rest-worker.js';

/** A namespace that is reached over HTTP. */
export class RestNamespace implements EventfulNamespace {
  readonly coordinate: RestCoordinate;
  readonly name: string;
  readonly url: URL;
  #links: Links | undefined;

  constructor(coordinate: RestCoordinate, name: string, url: URL, links?: Links) {
    this.coordinate = coordinate;
    this.name = name;
    this.url = url;
    this.#links = links;
  }

  get connection(): Connection {
    return this.coordinate.connection;
  }

  /** What leads on from here; read when it is first needed. */
  async links(): Promise<Links> {
    this.#links ??= (await this.connection.get(this.url)).links;
    return this.#links;
  }

  setWorkSpec<Schema extends StandardSchema<DataDictionary>>(
    data: DataDictionary,
    options: SchemaOptions<Schema>,
  ): Promise<RestWorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  setWorkSpec<Data extends DataDictionary = DataDictionary>(data: DataDictionary): Promise<RestWorkSpec<Data>>;
  async setWorkSpec(data: DataDictionary, options?: SchemaOptions): Promise<RestWorkSpec> {
    return this.connection.use(async () => {
      const schema = schemaOf(options);
      const encoded = encodeData(data, 'data');
      const name = checkName(workSpecName(data), 'data.name', { mayBeEmpty: false });
      const body = { data: this.connection.encodedToWire(encoded) };
      const made = await this.connection.post((await this.links()).url('work_specs_url'), { body });
      return new RestWorkSpec(this, name, made.links.url('url'), { schema });
    });
  }

  workSpec<Schema extends StandardSchema<DataDictionary>>(
    name: string,
    options: SchemaOptions<Schema>,
  ): Promise<RestWorkSpec<SchemaOutput<Schema>, SchemaInput<Schema>>>;
  workSpec<Data extends DataDictionary = DataDictionary>(name: string): Promise<RestWorkSpec<Data>>;
  async workSpec(name: string, options?: SchemaOptions): Promise<RestWorkSpec> {
    return this.connection.use(async () => {
      const schema = schemaOf(options);
      const url = (await this.links()).url('work_spec_url', { spec: encodeName(checkName(name, 'name')) });
      return new RestWorkSpec(this, name, url, { schema, links: (await this.connection.get(url)).links });
    });
  }

  async destroyWorkSpec(name: string): Promise<void> {
    await this.connection.use(async () => {
      await this.connection.ask('DELETE', (await this.links()).url('work_spec_url', { spec: encodeName(checkName(name, 'name')) }), { absentIsDone: true });
    });
  }

  async workSpecNames(): Promise<string[]> {
    return this.connection.use(async () => {
      const { body } = await this.connection.get((await this.links()).url('work_specs_url'));
      return listMember(body, 'work_specs').map((item) => textMember(asBody(item, 'a work spec'), 'name'));
    });
  }

  async worker(name: string): Promise<RestWorker> {
    return this.connection.use(async () => {
      const url = (await this.links()).url('worker_url', { worker: encodeName(checkName(name, 'name')) });
      return new RestWorker(this, name, url, (await this.connection.get(url)).links);
    });
  }

  /** Raises NotOffered at a server that only speaks the protocol. */
  async workers(options?: WorkerListOptions): Promise<RestWorker[]> {
    return this.connection.use(async () => {
      const { start = '', limit = 1_000, activeOnly = false } = checkOptions(options, 'options', ['start', 'limit', 'activeOnly']);
      const variables = {
        start: checkName(start, 'options.start'),
        limit: checkInteger(limit, 'options.limit', { least: 0 }),
        active: String(checkBoolean(activeOnly, 'options.activeOnly')),
      };
      const links = await this.links();
      if (!links.has('workers_query_url')) throw new NotOfferedError('a list of workers');
      const { body, links: found } = await this.connection.get(links.url('workers_query_url', variables));
      return listMember(body, 'workers').map((item) => {
        const short = asBody(item, 'a worker') as unknown as ShortBody;
        return new RestWorker(this, short.name, found.resolve(short.url));
      });
    });
  }

  async finishAll(reports: readonly AttemptReport[], options?: EndAllOptions): Promise<AttemptVerdict[]> {
    return this.#endAll('finish', reports, options);
  }

  async failAll(reports: readonly AttemptReport[], options?: EndAllOptions): Promise<AttemptVerdict[]> {
    return this.#endAll('fail', reports, options);
  }

  async renewAll(reports: readonly RenewReport[], lifetimeMs = defaultLifetimeMs): Promise<AttemptVerdict[]> {
    return this.connection.use(() => reportAll(this, 'renew', reports, { lifetimeMs: checkDuration(lifetimeMs, 'lifetimeMs') }));
  }

  /**
   * What happens in the namespace from now on, as on PostgreSQL: live, not durable, and `missed` says that something may not have been told, such
   * as while the connection was lost. Iterating raises NotOffered at a server that only speaks the protocol.
   */
  events(options?: EventsOptions): RestEvents {
    return new RestEvents(this, options);
  }

  async summarize(): Promise<Summary> {
    return this.connection.use(async () => summaryFromBody(await this.connection.ask('GET', (await this.links()).url('summary_url'))));
  }

  /** Raises NotOffered at a server that only speaks the protocol. */
  async oldestWaiting(): Promise<OldestWaiting[]> {
    return this.connection.use(async () => {
      const links = await this.links();
      if (!links.has('oldest_waiting_url')) throw new NotOfferedError('oldestWaiting()');
      return oldestWaitingFromBody((await this.connection.get(links.url('oldest_waiting_url'))).body, this.name);
    });
  }

  async destroy(): Promise<void> {
    await this.connection.use(() => this.connection.ask('DELETE', this.url));
  }

  async #endAll(action: 'finish' | 'fail', reports: readonly AttemptReport[], options: EndAllOptions | undefined): Promise<AttemptVerdict[]> {
    const { client, allOrNone = false } = checkOptions(options, 'options', ['client', 'allOrNone']);
    if (client !== undefined) refuseTransaction({ client });
    checkBoolean(allOrNone, 'options.allOrNone');
    return this.connection.use(() => reportAll(this, action, reports, { allOrNone }));
  }
}
