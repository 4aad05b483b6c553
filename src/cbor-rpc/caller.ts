import { openAccess, type Access, type Role, type TokenFile } from '../access/index.js';
import { NotAllowedError } from '../errors/index.js';
import { Refusal } from './refusal.js';

/** Who is at the other end of a connection, and what he may do. */
export class Caller {
  readonly #tokens: TokenFile | undefined;
  readonly #actAs: string | undefined;
  #token: string | undefined;

  constructor({ tokens, actAs }: { tokens?: TokenFile | undefined; actAs?: string | undefined }) {
    this.#tokens = tokens;
    this.#actAs = actAs;
  }

  /** Whether it is known who that is, or everybody may call. */
  get isKnown(): boolean {
    return this.#tokens === undefined || this.#actAs !== undefined || this.#token !== undefined;
  }

  /** From now on calls are made with this token. Raises NotAuthenticated. */
  authenticate(token: string): boolean {
    if (this.#tokens === undefined) return true;
    this.#tokens.authenticate(token);
    this.#token = token;
    return true;
  }

  /** Raises NotAllowed, NotAuthenticated; Refusal. Looked at for each call: tokens expire, and are taken out of the file, while connections last. */
  require(role: Role, namespace: string): void {
    const access = this.#access();
    if (!access.may(role, namespace)) throw new NotAllowedError(access.name, role, `the namespace ${JSON.stringify(namespace)}`);
  }

  #access(): Access {
    if (this.#tokens === undefined) return openAccess;
    if (this.#token !== undefined) return this.#tokens.authenticate(this.#token);
    if (this.#actAs !== undefined) return this.#tokens.accessOf(this.#actAs);
    throw new Refusal('this server asks for a token: call authenticate with it first');
  }
}
