import { parseTemplate } from 'url-template';
import { UnexpectedAnswerError } from '../../errors/index.js';
import { member, type Body } from '../wire/index.js';

/** What the variables of a template may be. */
export type Variables = Readonly<Record<string, string | number | readonly string[]>>;

/** The URLs in the body of an object: URL templates (RFC 6570), resolved against the URL of the object. */
export class Links {
  readonly #body: Body;
  readonly #base: URL;

  constructor(body: Body, base: URL) {
    this.#body = body;
    this.#base = base;
  }

  /** Whether there is such a link: additions are used only where they are linked. */
  has(name: string): boolean {
    return typeof member(this.#body, name) === 'string';
  }

  /** Raises UnexpectedAnswer. */
  url(name: string, variables: Variables = {}): URL {
    const template = member(this.#body, name);
    if (typeof template !== 'string') throw new UnexpectedAnswerError(this.#base.href, `it has no ${name}`);
    return this.resolve(parseTemplate(template).expand(variables as Record<string, string>));
  }

  /** A URL from the same body. Raises UnexpectedAnswer for one of another server, which is not to be given our token. */
  resolve(link: string): URL {
    const url = URL.canParse(link, this.#base.href) ? new URL(link, this.#base) : null;
    if (url?.origin !== this.#base.origin) {
      throw new UnexpectedAnswerError(this.#base.href, `its link ${JSON.stringify(link.slice(0, 200))} leads elsewhere`);
    }
    return url;
  }
}
