import { allows, type Role } from './role.js';

/** Stands for all namespaces where their roles are listed. */
export const everyNamespace = '*';

/** What the holder of a token may do; that of nobody in particular may do everything. */
export class Access {
  /** For logs: whose token it is. */
  readonly name: string;
  readonly #roles: ReadonlyMap<string, readonly Role[]>;

  constructor(name: string, roles: ReadonlyMap<string, readonly Role[]>) {
    this.name = name;
    this.#roles = roles;
  }

  /** Whether it has the role in the namespace; without one, in all of them. */
  may(role: Role, namespace?: string): boolean {
    if (this.#has(everyNamespace, role)) return true;
    return namespace !== undefined && namespace !== everyNamespace && this.#has(namespace, role);
  }

  /** Whether it has the role anywhere at all. */
  maySomewhere(role: Role): boolean {
    return [...this.#roles.keys()].some((namespace) => this.#has(namespace, role));
  }

  /** The namespaces in which it has the role, where they are listed by name; undefined: it has it in all. */
  namespacesWith(role: Role): readonly string[] | undefined {
    return this.may(role) ? undefined : [...this.#roles.keys()].filter((namespace) => this.#has(namespace, role));
  }

  #has(namespace: string, role: Role): boolean {
    return allows(this.#roles.get(namespace) ?? [], role);
  }
}

/** Where no token is asked for. */
export const openAccess = new Access('anybody', new Map([[everyNamespace, ['admin']]]));
