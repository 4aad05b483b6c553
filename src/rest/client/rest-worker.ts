import { wallClock } from '../../clock/index.js';
import type { DataDictionary } from '../../codec/index.js';
import { defaultLifetimeMs } from '../../core/attempt/lifetime.js';
import type { AttemptRequest } from '../../core/worker/attempt-request.js';
import { checkAttemptRequest } from '../../core/worker/check-attempt-request.js';
import type { AttemptListOptions, Worker, WorkerState, WorkerUpdate } from '../../core/worker/worker.js';
import type { WaitOptions, WaitingWorker } from '../../core/worker/waiting-worker.js';
import type { WorkUnit } from '../../core/work-unit/work-unit.js';
import { InvalidArgumentError, NotOfferedError, UnexpectedAnswerError, WrongBackendError } from '../../errors/index.js';
import { checkDate, checkDuration, checkInteger, checkList, checkOptions, kindOf } from '../../options/index.js';
import {
  asBody,
  attemptRequestToBody,
  durationToWire,
  listMember,
  textListMember,
  textMember,
  timeToWire,
  workerStateFromBody,
  type Body,
} from '../wire/index.js';
import type { Connection, Resource } from './connection.js';
import type { Links } from './links.js';
import { nameToWire } from './name-to-wire.js';
import { AttemptReader } from './read-attempts.js';
import type { RestAttempt } from './rest-attempt.js';
import type { RestNamespace } from './rest-namespace.js';
import { RestWorkUnit } from './rest-work-unit.js';

/** A worker that is reached over HTTP. */
export class RestWorker implements Worker, WaitingWorker {
  readonly namespace: RestNamespace;
  readonly name: string;
  readonly url: URL;
  #links: Links | undefined;

  constructor(namespace: RestNamespace, name: string, url: URL, links?: Links) {
    this.namespace = namespace;
    this.name = name;
    this.url = url;
    this.#links = links;
  }

  async read(): Promise<WorkerState> {
    return this.#connection.use(async () => workerStateFromBody((await this.#get()).body));
  }

  async update(update: WorkerUpdate): Promise<void> {
    await this.#connection.use(async () => {
      const { data, now, expiration, mode = '' } = checkOptions(update, 'update', ['data', 'now', 'expiration', 'mode']);
      if (typeof mode !== 'string') throw new InvalidArgumentError('update.mode', `must be a string, not ${kindOf(mode)}`);
      if (mode.includes('\0')) throw new InvalidArgumentError('update.mode', 'must not hold a zero character');
      const [from, to] = await this.#times(now, expiration);
      await this.#put({
        active: true,
        mode: mode.toWellFormed(),
        data: (data ?? null) === null ? null : this.#connection.dataToWire(data as DataDictionary, 'update.data'),
        ...(from !== undefined && { last_update: timeToWire(from) }),
        ...(to !== undefined && { expiration: timeToWire(to) }),
      });
    });
  }

  async deactivate(): Promise<void> {
    await this.#connection.use(() => this.#put({ active: false }));
  }

  async setParent(parent: Worker | null): Promise<void> {
    await this.#connection.use(async () => {
      if (parent !== null) {
        if (typeof parent !== 'object') throw new InvalidArgumentError('parent', `must be a worker, not ${kindOf(parent)}`);
        if (!(parent instanceof RestWorker) || parent.#connection !== this.#connection) throw new WrongBackendError();
        if (parent.namespace.name !== this.namespace.name) throw new InvalidArgumentError('parent', 'must be of the same namespace');
      }
      // Without a word about the rest other servers would deactivate the worker.
      const rest = (await this.#isOurServer()) ? {} : stateOf((await this.#get()).body);
      await this.#put({ ...rest, parent: parent?.name ?? '' });
    });
  }

  async children(): Promise<RestWorker[]> {
    return this.#connection.use(async () => {
      const { body, links } = await this.#get();
      const urls = (textListMember(body, 'child_urls') ?? []).map((url) => links.resolve(url));
      const names = textListMember(body, 'child_names');
      const nameOf = async (url: URL): Promise<string> => textMember((await this.#connection.get(url)).body, 'name');
      return Promise.all(urls.map(async (url, index) => new RestWorker(this.namespace, names?.[index] ?? (await nameOf(url)), url)));
    });
  }

  async requestAttempts<Data extends DataDictionary = DataDictionary>(request?: AttemptRequest<Data>): Promise<RestAttempt<Data>[]> {
    checkAttemptRequest(request);
    return this.#connection.use(() => this.#request(request ?? {}));
  }

  async requestAttemptsOrWait<Data extends DataDictionary = DataDictionary>(
    request: AttemptRequest<Data>,
    { waitMs, signal }: WaitOptions,
  ): Promise<RestAttempt<Data>[]> {
    checkAttemptRequest(request);
    if (signal.aborted) return [];
    return this.#connection.use(() =>
      this.#request(request, { waitMs, signal }).catch((error: unknown) => {
        if (signal.aborted) return [];
        throw error;
      }),
    );
  }

  async makeAttempt<Data extends DataDictionary>(unit: WorkUnit<Data>, lifetimeMs = defaultLifetimeMs): Promise<RestAttempt<Data>> {
    return this.#connection.use(async () => {
      const lifetime = checkDuration(lifetimeMs, 'lifetimeMs');
      return (await this.#make(this.#ownUnit(unit, 'unit'), lifetime)) as unknown as RestAttempt<Data>;
    }, 'workUnit');
  }

  /** At a server that only speaks the protocol they are made one by one: not all or none. */
  async makeAttempts<Data extends DataDictionary>(units: readonly WorkUnit<Data>[], lifetimeMs = defaultLifetimeMs): Promise<RestAttempt<Data>[]> {
    const made = await this.#connection.use(async () => {
      const ours = checkList(units, 'units', (unit, field) => this.#ownUnit(unit, field));
      const lifetime = checkDuration(lifetimeMs, 'lifetimeMs');
      const links = await this.#linked();
      if (links.has('make_attempts_url')) return this.#makeTogether(links.url('make_attempts_url'), ours, lifetime);
      const attempts: RestAttempt[] = [];
      for (const unit of ours) attempts.push(await this.#make(unit, lifetime));
      return attempts;
    }, 'workUnit');
    return made as unknown as RestAttempt<Data>[];
  }

  async activeAttempts(): Promise<RestAttempt[]> {
    return this.#connection.use(() => this.#attempts('active_attempts'));
  }

  /** At a server that only speaks the protocol, `after` raises NotOffered. */
  async allAttempts(options?: AttemptListOptions): Promise<RestAttempt[]> {
    return this.#connection.use(async () => {
      const { after = 0, limit = 1_000 } = checkOptions(options, 'options', ['after', 'limit']);
      const from = Math.max(0, checkInteger(after, 'options.after'));
      const most = checkInteger(limit, 'options.limit', { least: 0 });
      const links = await this.#linked();
      if (links.has('all_attempts_query_url')) return this.#attempts('all_attempts', { after: from, limit: most });
      if (from > 0) throw new NotOfferedError('a page of attempts that begins with a number');
      return (await this.#attempts('all_attempts')).slice(0, most);
    });
  }

  async childAttempts(): Promise<RestAttempt[]> {
    return this.#connection.use(() => this.#attempts('child_attempts'));
  }

  get #connection(): Connection {
    return this.namespace.connection;
  }

  #ownUnit(unit: unknown, field: string): RestWorkUnit {
    if (typeof unit !== 'object' || unit === null) throw new InvalidArgumentError(field, `must be a work unit, not ${kindOf(unit)}`);
    if (!(unit instanceof RestWorkUnit)) throw new WrongBackendError();
    const ours = unit as RestWorkUnit;
    const { namespace } = ours.workSpec;
    if (namespace.connection !== this.#connection) throw new WrongBackendError();
    if (namespace.name !== this.namespace.name) throw new InvalidArgumentError(field, "must be of the worker's namespace");
    return ours;
  }

  async #make(unit: RestWorkUnit, lifetimeMs: number): Promise<RestAttempt> {
    const url = (await this.#linked()).url('make_attempt_url');
    const made = await this.#connection.post(url, { body: { ...this.#nameOf(unit), ...lifetimeToWire(lifetimeMs) } });
    return new AttemptReader(this.namespace, { workUnit: unit, worker: this }).read(made.body, url);
  }

  async #makeTogether(url: URL, units: readonly RestWorkUnit[], lifetimeMs: number): Promise<RestAttempt[]> {
    const { body } = await this.#connection.post(url, { body: { work_units: units.map((unit) => this.#nameOf(unit)), ...lifetimeToWire(lifetimeMs) } });
    const made = listMember(body, 'attempts');
    if (made.length !== units.length) throw new UnexpectedAnswerError(url.href, 'it answers not every unit');
    return Promise.all(units.map((workUnit, index) => new AttemptReader(this.namespace, { workUnit, worker: this }).read(asBody(made[index], 'an attempt'), url)));
  }

  #nameOf({ workSpec, key }: RestWorkUnit): { readonly work_spec: string; readonly work_unit: string | Uint8Array } {
    return { work_spec: workSpec.name, work_unit: nameToWire(key, this.#connection.format, 'unit') };
  }

  async #get(): Promise<Resource> {
    const resource = await this.#connection.get(this.url);
    this.#links = resource.links;
    return resource;
  }

  async #linked(): Promise<Links> {
    return this.#links ?? (await this.#get()).links;
  }

  async #put(body: object): Promise<void> {
    await this.#connection.ask('PUT', this.url, { body });
  }

  /** Whether the server fills in what an update leaves out, and keeps what it does not name. */
  async #isOurServer(): Promise<boolean> {
    return (await this.#linked()).has('all_attempts_query_url');
  }

  /** Other servers take a time that is left out for the year 1, so they are told ours. */
  async #times(now: Date | undefined, expiration: Date | undefined): Promise<readonly [Date | undefined, Date | undefined]> {
    const from = now === undefined ? undefined : checkDate(now, 'update.now');
    const to = expiration === undefined ? undefined : checkDate(expiration, 'update.expiration');
    if (await this.#isOurServer()) return [from, to];
    const since = from ?? wallClock.now();
    return [since, to ?? new Date(since.getTime() + defaultLifetimeMs)];
  }

  async #request<Data extends DataDictionary>(
    request: AttemptRequest<Data>,
    { waitMs = 0, signal }: Partial<WaitOptions> = {},
  ): Promise<RestAttempt<Data>[]> {
    if (request.workSpecs?.length === 0 || request.runtimes?.length === 0) {
      // Nothing is let in; on the wire an empty list means any.
      await this.#get();
      return [];
    }
    const url = (await this.#linked()).url('request_attempts_url');
    const asking = { body: attemptRequestToBody(request, waitMs), waitMs, ...(signal && { signal }) };
    const { body } = await this.#connection.post(url, asking);
    const reader = new AttemptReader(this.namespace, { worker: this });
    const attempts = listMember(body, 'attempts').map((item) => reader.read(asBody(item, 'an attempt'), url));
    return (await Promise.all(attempts)) as unknown as RestAttempt<Data>[];
  }

  /** A list of attempts, in full if the server has them so. */
  async #attempts(list: string, page: Readonly<Record<string, number>> = {}): Promise<RestAttempt[]> {
    const links = await this.#linked();
    const reader = new AttemptReader(this.namespace, { worker: this });
    const query = `${list}_query_url`;
    return reader.list(links.has(query) ? links.url(query, { ...page, full: 'true' }) : links.url(`${list}_url`));
  }
}

/** What a PUT must repeat to leave it as it is. */
function stateOf({ active, mode, data, last_update, expiration }: Body): object {
  return { active, mode, data, last_update, expiration };
}

/** Zero would be taken for "left out". */
function lifetimeToWire(lifetimeMs: number): { readonly lifetime: number | bigint } {
  return { lifetime: durationToWire(lifetimeMs) || 1 };
}
