import type { Role } from '../../access/index.js';
import { MethodNotAllowedError } from '../../errors/index.js';
import { done, type Answer } from './answer.js';
import type { Exchange } from './exchange.js';
import type { Parameter } from './openapi/parameters.js';
import type { SchemaName } from './openapi/schemas.js';

/** The methods that resources may have. HEAD goes where GET goes. */
export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** Answers one method on a resource, whose object has been found. */
export type Handler<Target> = (target: Target, exchange: Exchange) => Promise<Answer | undefined>;

/** What a method on a resource is, for whoever uses it: the page of the API is made of this. */
export interface Description {
  /** What a token must allow: in the namespace of the path; where the path has none, in some namespace, and the answer is about those. */
  readonly needs: Role;
  /** A sentence. */
  readonly does: string;
  /** The body of the request. */
  readonly takes?: SchemaName;
  readonly query?: readonly Parameter[];
  /** The body of the answer; left out: it has none. */
  readonly answers?: SchemaName;
  /** The body of each event of the stream that it answers with. */
  readonly streams?: SchemaName;
  /** Whether it answers 201 and a `Location`. */
  readonly creates?: boolean;
}

/** A method on a resource. */
export interface Operation<Target> extends Description {
  readonly run: Handler<Target>;
}

/** A path, and what can be done there. */
export interface Route {
  /** As fastify writes it: `/namespace/:namespace`. */
  readonly path: string;
  /** Those of an `Allow` header. */
  readonly methods: readonly string[];
  readonly operations: ReadonlyMap<string, Description>;
  /** Finds the objects that the path names; the answer to the method comes after the body has been read. */
  find(exchange: Exchange): Promise<(method: string, exchange: Exchange) => Promise<Answer>>;
}

/** A row of the table of routes. A handler that resolves to nothing has nothing to say. */
export function route<Target>(
  path: string,
  find: (exchange: Exchange) => Target | Promise<Target>,
  operations: Readonly<Partial<Record<Method, Operation<Target>>>>,
): Route {
  const table = new Map(Object.entries(operations));
  return {
    path,
    methods: [...table.keys()].flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
    operations: table,
    find: async (exchange) => {
      const target = await find(exchange);
      return async (method, withBody) => {
        const operation = table.get(method === 'HEAD' ? 'GET' : method);
        if (operation === undefined) throw new MethodNotAllowedError(method);
        return (await operation.run(target, withBody)) ?? done;
      };
    },
  };
}

/** What a token must allow for a method on a route; one that is not there is for whoever may look, to be told so. */
export function needOf({ operations }: Pick<Route, 'operations'>, method: string): Role {
  return operations.get(method === 'HEAD' ? 'GET' : method)?.needs ?? 'read';
}
