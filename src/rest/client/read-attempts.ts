import type { AttemptState } from '../../core/attempt/attempt.js';
import { asBody, attemptNumberFromBody, attemptStateFromBody, listMember, member, textMember, unitKeyFromBody, type Body } from '../wire/index.js';
import { Links } from './links.js';
import { RestAttempt } from './rest-attempt.js';
import type { RestNamespace } from './rest-namespace.js';
import { RestWorkSpec } from './rest-work-spec.js';
import { RestWorkUnit } from './rest-work-unit.js';
import { RestWorker } from './rest-worker.js';

/** Objects that are known already, and need not be asked for. */
export interface Known {
  readonly workUnit?: RestWorkUnit;
  readonly worker?: RestWorker;
}

/**
 * Makes objects of the attempts in one answer. Our own server says what their units, specs and workers are called; of any other
 * they are asked for, each once.
 */
export class AttemptReader {
  readonly #namespace: RestNamespace;
  readonly #known: Known;
  readonly #specs = new Map<string, Promise<RestWorkSpec>>();
  readonly #units = new Map<string, Promise<RestWorkUnit>>();
  readonly #workers = new Map<string, Promise<RestWorker>>();
  static #lastNumber = 0;

  constructor(namespace: RestNamespace, known: Known = {}) {
    this.#namespace = namespace;
    this.#known = known;
  }

  /** The attempts of a list at a URL: in full if the server gives them so, else each is asked for. */
  async list(url: URL): Promise<RestAttempt[]> {
    const { body, links } = await this.#namespace.connection.get(url);
    const items = listMember(body, 'attempts').map((item) => asBody(item, 'an attempt'));
    return Promise.all(items.map((item) => (member(item, 'status') === undefined ? this.at(links.resolve(textMember(item, 'url'))) : this.read(item, url))));
  }

  /** The attempt at a URL. */
  async at(url: URL): Promise<RestAttempt> {
    const { body } = await this.#namespace.connection.get(url);
    return this.read(body, url);
  }

  /** The attempt in a body that came from a URL. */
  async read(body: Body, base: URL): Promise<RestAttempt> {
    const state: AttemptState = attemptStateFromBody(body);
    const url = new Links(body, base).url('url');
    // What follows is resolved against the object's own URL.
    const links = new Links(body, url);
    const [workUnit, worker] = await Promise.all([this.#unitOf(body, links), this.#workerOf(body, links)]);
    return new RestAttempt({ workUnit, worker, number: numberOf(body, () => ++AttemptReader.#lastNumber), url, links }, state);
  }

  #unitOf(body: Body, links: Links): RestWorkUnit | Promise<RestWorkUnit> {
    const url = links.url('work_unit_url');
    const { workUnit } = this.#known;
    if (workUnit !== undefined) return workUnit;
    return cached(this.#units, url, async () => {
      if (member(body, 'work_unit_name') === undefined) return this.#askForUnit(url);
      const specUrl = links.url('work_spec_url');
      const spec = await cached(this.#specs, specUrl, async () => new RestWorkSpec(this.#namespace, textMember(body, 'work_spec_name'), specUrl));
      return new RestWorkUnit(spec, unitKeyFromBody(body, { name: 'work_unit_name', key: 'work_unit_key' }), url);
    });
  }

  async #askForUnit(url: URL): Promise<RestWorkUnit> {
    const { body, links } = await this.#namespace.connection.get(url);
    const specUrl = links.url('work_spec_url');
    const spec = await cached(this.#specs, specUrl, async () => {
      const found = await this.#namespace.connection.get(specUrl);
      return new RestWorkSpec(this.#namespace, textMember(found.body, 'name'), specUrl, { links: found.links });
    });
    return new RestWorkUnit(spec, unitKeyFromBody(body), url, links);
  }

  #workerOf(body: Body, links: Links): RestWorker | Promise<RestWorker> {
    const url = links.url('worker_url');
    const { worker } = this.#known;
    if (worker !== undefined && (worker.url.href === url.href || worker.name === member(body, 'worker_name'))) return worker;
    return cached(this.#workers, url, async () => {
      if (member(body, 'worker_name') !== undefined) return new RestWorker(this.#namespace, textMember(body, 'worker_name'), url);
      const found = await this.#namespace.connection.get(url);
      return new RestWorker(this.#namespace, textMember(found.body, 'name'), url, found.links);
    });
  }
}

/** A server that gives its attempts no numbers leaves it to us to tell them apart; only within this process, then. */
function numberOf(body: Body, next: () => number): number {
  return member(body, 'number') === undefined ? next() : attemptNumberFromBody(body);
}

function cached<T>(objects: Map<string, Promise<T>>, { href }: URL, make: () => Promise<T>): Promise<T> {
  const made = objects.get(href) ?? make();
  objects.set(href, made);
  return made;
}
