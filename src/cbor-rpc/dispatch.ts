import { decodeValue, type DataDictionary } from '../codec/index.js';
import type { PostgresCoordinate } from '../core/postgres-coordinate.js';
import type { PostgresNamespace } from '../core/namespace/postgres-namespace.js';
import type { Logger } from '../database/index.js';
import { CoordinateError, GoneError, NoSuchWorkSpecError } from '../errors/index.js';
import { withoutPlaces } from '../errors/without-places.js';
import { methodTable } from './method-table.js';
import type { Method, TakeBack } from './methods/method.js';
import type { Caller } from './caller.js';
import { Refusal } from './refusal.js';
import { listItems, readText } from './values/read-value.js';
import type { Outcome } from './wire/answer.js';
import type { Request } from './wire/request.js';

export interface DispatchOptions {
  readonly coordinate: PostgresCoordinate;
  /** The name of the namespace that all calls act on. */
  readonly namespace: string;
  readonly config: DataDictionary | undefined;
  /** Most bytes of an answer. */
  readonly maxBytes: number;
  readonly logger: Logger;
}

/** An addition to the protocol: it is about the connection, not about a queue, and so is not in the table. */
const authenticate = 'authenticate';

/** How often a call is made when what it works on disappears under it. */
const mostTries = 5;

/** Runs the calls of all clients. The namespace is made anew when somebody has destroyed it. */
export class Dispatch {
  readonly #options: DispatchOptions;
  #namespace: Promise<PostgresNamespace> | undefined;

  constructor(options: DispatchOptions) {
    this.#options = options;
  }

  /** What becomes of a call, and how that is undone should the client never hear of it. Never rejects: whatever goes wrong is the answer. */
  async run(request: Request, caller: Caller, takeBacks: TakeBack[]): Promise<Outcome> {
    const { method: name } = request;
    const method = nameOf(name);
    try {
      if (method === authenticate) return { result: caller.authenticate(readText(paramsOf({ parameters: [['token']] }, request.params)[0], 'token')) };
      const found = methodTable.get(method);
      if (found === undefined) throw new Refusal(`no such method ${camelCase(method)}`);
      caller.require(found.needs, this.#options.namespace);
      const params = paramsOf(found.method, request.params);
      return { result: await this.#call(found.method, params, takeBacks) };
    } catch (error) {
      const told = error instanceof CoordinateError ? withoutPlaces(error) : error;
      if (told === error && (error instanceof Refusal || error instanceof CoordinateError)) return { error: error.message };
      this.#options.logger.error(`the call ${method} of a CBOR-RPC client failed: ${error instanceof Error ? error.message : String(error)}`);
      return { error: told instanceof CoordinateError ? told.message : "internal error; the server's log says more" };
    }
  }

  async #call(method: Method, params: readonly unknown[], takeBacks: TakeBack[]): Promise<unknown> {
    const { config, maxBytes } = this.#options;
    for (let attempt = 1; ; attempt++) {
      try {
        return await method.run({ namespace: await this.#open(), config, maxBytes, takeBacks }, ...params);
      } catch (error) {
        if (error instanceof NoSuchWorkSpecError && method.withoutSpec !== undefined) return [method.withoutSpec, error.message];
        if (!(error instanceof GoneError) || attempt === mostTries) throw error;
        // The unit or the spec is no more, which the next try will say; or the namespace, which is made anew.
        this.#namespace = undefined;
      }
    }
  }

  async #open(): Promise<PostgresNamespace> {
    const { coordinate, namespace } = this.#options;
    const opening = (this.#namespace ??= coordinate.namespace(namespace));
    try {
      return await opening;
    } catch (error) {
      if (this.#namespace === opening) this.#namespace = undefined;
      throw error;
    }
  }
}

/** Longest name that is looked up, or shown in an answer. */
const longestName = 100;

function nameOf(method: unknown): string {
  const text = method instanceof Uint8Array ? Buffer.from(method).toString('utf8') : method;
  if (typeof text !== 'string') return '';
  return text.slice(0, longestName).toWellFormed();
}

/** As the original server, which has its methods under such names, shows them. */
function camelCase(name: string): string {
  return name
    .split('_')
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join('')
    .toWellFormed();
}

/** The parameters in the method's order, whether they came as a list or as a map. */
function paramsOf({ parameters }: Pick<Method, 'parameters'>, encoded: Uint8Array | undefined): readonly unknown[] {
  const given = encoded === undefined ? [] : decodeValue(encoded);
  const list = listItems(given) ?? namedParams(parameters, given);
  if (list?.length !== parameters.length) throw new Refusal('wrong number of parameters');
  return list;
}

/** Undefined unless the map has each of the parameters under one of its names, and nothing else. */
function namedParams(parameters: Method['parameters'], given: unknown): readonly unknown[] | undefined {
  if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype) return undefined;
  const members = given as Readonly<Record<string, unknown>>;
  const keys = parameters.map((names) => names.find((name) => Object.hasOwn(members, name)));
  if (Object.keys(members).length !== parameters.length) return undefined;
  return keys.every((key) => key !== undefined) ? keys.map((key) => members[key]) : undefined;
}
