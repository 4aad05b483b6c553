import type { DataDictionary } from '../../codec/index.js';
import { checkPriority, checkUnitMeta } from '../../core/work-unit/check-unit.js';
import type { Explanation } from '../../core/work-unit/explanation.js';
import type { WorkUnitPart, WorkUnitReading } from '../../core/work-unit/work-unit-page.js';
import { workUnitStatuses, type WorkUnitStatus } from '../../core/work-unit/work-unit-status.js';
import type { WorkUnit, WorkUnitMeta } from '../../core/work-unit/work-unit.js';
import { InvalidArgumentError, NoSuchAttemptError, NotOfferedError, UnexpectedAnswerError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';
import {
  asBody,
  explanationFromBody,
  flagMember,
  integerMember,
  listMember,
  noAttemptUrl,
  optionalDataFromWire,
  unitMetaFromBody,
  unitMetaToBody,
  wordMember,
  type Body,
} from '../wire/index.js';
import type { Asking, Connection, Resource } from './connection.js';
import type { Links } from './links.js';
import { AttemptReader } from './read-attempts.js';
import type { RestAttempt } from './rest-attempt.js';
import type { RestWorkSpec } from './rest-work-spec.js';

/** How often to look for an active attempt that is gone each time it is asked for. */
const mostLooks = 5;

/** A work unit that is reached over HTTP. */
export class RestWorkUnit<Data extends DataDictionary = DataDictionary> implements WorkUnit<Data> {
  readonly workSpec: RestWorkSpec<Data>;
  readonly key: Uint8Array;
  readonly url: URL;
  #links: Links | undefined;

  constructor(workSpec: RestWorkSpec<Data>, key: Uint8Array, url: URL, links?: Links) {
    this.workSpec = workSpec;
    this.key = key;
    this.url = url;
    this.#links = links;
  }

  get name(): string {
    return Buffer.from(this.key.buffer, this.key.byteOffset, this.key.length).toString('utf8');
  }

  async data(): Promise<Data> {
    return this.#use(async () => (optionalDataFromWire((await this.#get()).body.data, 'data') ?? {}) as Data);
  }

  /** At a server that only speaks the protocol, what `data()` tells. */
  async ownData(): Promise<Data> {
    return this.#use(async () => {
      const { body } = await this.#get();
      return (optionalDataFromWire(body.own_data ?? body.data, 'own_data') ?? {}) as Data;
    });
  }

  async status(): Promise<WorkUnitStatus> {
    return this.#use(async () => this.#statusOf((await this.#get()).body));
  }

  async meta(): Promise<WorkUnitMeta> {
    return this.#use(async () => this.#metaOf((await this.#get()).body));
  }

  async setMeta(meta: Partial<WorkUnitMeta>): Promise<void> {
    if (meta === undefined) throw new InvalidArgumentError('meta', 'must be an object, not undefined');
    const checked = checkUnitMeta(meta, 'meta');
    await this.#use(() => this.#put({ meta: unitMetaToBody(checked) }));
  }

  /** What `workSpec.readWorkUnits()` tells of it. */
  async read(parts: readonly WorkUnitPart[]): Promise<WorkUnitReading> {
    return this.#use(async () => {
      const { body } = await this.#get();
      const attempts = parts.includes('attempts') ? await this.attempts() : [];
      return {
        workUnit: this as unknown as RestWorkUnit,
        status: this.#statusOf(body),
        meta: this.#metaOf(body),
        ...(parts.includes('data') && { data: optionalDataFromWire(body.data, 'data') ?? {} }),
        ...(parts.includes('ownData') && { ownData: optionalDataFromWire(body.own_data ?? body.data, 'own_data') ?? {} }),
        ...(parts.includes('attempts') && { attempts }),
      };
    });
  }

  async priority(): Promise<number> {
    return (await this.meta()).priority;
  }

  /** Raises Gone like the others, although there is no request for the priority of one unit alone: it is looked for first. */
  async setPriority(priority: number): Promise<void> {
    const to = checkPriority(priority);
    await this.#use(() => this.#get());
    await this.workSpec.setWorkUnitPriorities({ names: [this.key] }, to);
  }

  async activeAttempt(): Promise<RestAttempt<Data> | null> {
    return this.#use(async () => {
      for (let tries = 1; ; tries++) {
        const { links } = await this.#get();
        if (!links.has('active_attempt_url')) return null;
        try {
          return (await this.#reader().at(links.url('active_attempt_url'))) as unknown as RestAttempt<Data>;
        } catch (error) {
          // It was deleted between the two requests, with the unit, which the next look tells.
          if (!(error instanceof NoSuchAttemptError) || tries > mostLooks) throw error;
        }
      }
    });
  }

  async clearActiveAttempt(): Promise<void> {
    // Not to be repeated: the unit may have been handed out again, and that attempt is nothing to take away.
    await this.#use(() => this.#put({ active_attempt_url: noAttemptUrl }, { isRepeatable: false }));
  }

  /** Raises NotOffered at a server that only speaks the protocol. */
  async cancel(reason = ''): Promise<boolean> {
    if (typeof reason !== 'string' || !reason.isWellFormed()) {
      throw new InvalidArgumentError('reason', `must be a well-formed string, not ${kindOf(reason)}`);
    }
    return this.#use(async () => {
      const links = await this.#linked();
      if (!links.has('cancel_url')) throw new NotOfferedError('cancel()');
      return flagMember(asBody(await this.#connection.ask('POST', links.url('cancel_url'), { body: { reason } }), 'the answer'), 'cancelled');
    });
  }

  async attempts(): Promise<RestAttempt<Data>[]> {
    return this.#use(async () => {
      const links = await this.#linked();
      const url = links.has('attempts_query_url') ? links.url('attempts_query_url', { full: 'true' }) : links.url('attempts_url');
      return (await this.#reader().list(url)) as unknown as RestAttempt<Data>[];
    });
  }

  async numAttempts(): Promise<number> {
    return this.#use(async () => {
      const links = await this.#linked();
      if (links.has('num_attempts_url')) {
        const count = await this.#connection.ask('GET', links.url('num_attempts_url'));
        return Number(integerMember({ count }, 'count'));
      }
      return listMember((await this.#connection.get(links.url('attempts_url'))).body, 'attempts').length;
    });
  }

  /** Raises NotOffered at a server that only speaks the protocol. */
  async explain(): Promise<Explanation> {
    return this.#use(async () => {
      const links = await this.#linked();
      if (!links.has('explain_url')) throw new NotOfferedError('explain()');
      return explanationFromBody((await this.#connection.get(links.url('explain_url'))).body);
    });
  }

  #use<T>(work: () => Promise<T>): Promise<T> {
    return this.#connection.use(work, 'workUnit');
  }

  get #connection(): Connection {
    return this.workSpec.namespace.connection;
  }

  async #get(): Promise<Resource> {
    const resource = await this.#connection.get(this.url);
    this.#links = resource.links;
    return resource;
  }

  async #linked(): Promise<Links> {
    return this.#links ?? (await this.#get()).links;
  }

  async #put(body: object, how: Pick<Asking, 'isRepeatable'> = {}): Promise<void> {
    await this.#connection.ask('PUT', this.url, { body, ...how });
  }

  #statusOf(body: Body): WorkUnitStatus {
    const status = wordMember(body, 'status', workUnitStatuses);
    if (status === undefined) throw new UnexpectedAnswerError(this.url.href, 'it gives the unit no status');
    return status;
  }

  #metaOf(body: Body): WorkUnitMeta {
    return unitMetaFromBody(body) ?? { priority: 0, notBefore: null };
  }

  #reader(): AttemptReader {
    return new AttemptReader(this.workSpec.namespace, { workUnit: this as unknown as RestWorkUnit });
  }
}
