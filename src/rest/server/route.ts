import { MethodNotAllowedError } from '../../errors/index.js';
import { done, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';

/** The methods that resources may have. HEAD goes where GET goes. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Answers one method on a resource, whose object has been found. */
export type Handler<Target> = (target: Target, exchange: Exchange) => Promise<Answer | undefined>;

/** A path, and what can be done there. */
export interface Route {
  /** As fastify writes it: `/namespace/:namespace`. */
  readonly path: string;
  /** Those of an `Allow` header. */
  readonly methods: readonly string[];
  /** Finds the objects that the path names; the answer to the method comes after the body has been read. */
  find(exchange: Exchange): Promise<(method: string, exchange: Exchange) => Promise<Answer>>;
}

/** A row of the table of routes. A handler that resolves to nothing has nothing to say. */
export function route<Target>(
  path: string,
  find: (exchange: Exchange) => Target | Promise<Target>,
  handlers: Readonly<Partial<Record<Method, Handler<Target>>>>,
): Route {
  const table = new Map(Object.entries(handlers));
  return {
    path,
    methods: [...table.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
    find: async (exchange) => {
      const target = await find(exchange);
      return async (method, withBody) => {
        const handler = table.get(method === 'HEAD' ? 'GET' : method);
        if (handler === undefined) throw new MethodNotAllowedError(method);
        return (await handler(target, withBody)) ?? done;
      };
    },
  };
}
