import { encodeData, type DataDictionary } from '../../codec/index.js';
import { ClosedError, CoordinateError, MalformedRequestError, NotOfferedError, UnexpectedAnswerError, UnsupportedMediaTypeError } from '../../errors/index.js';
import {
  asBody,
  cborType,
  decodeAnyBody,
  decodeBody,
  defaultType,
  encodeBody,
  errorFromBody,
  formatOfContentType,
  type Body,
  type Format,
} from '../wire/index.js';
import { orGone } from './gone.js';
import { Links } from './links.js';
import type { CheckedRestClientOptions } from './rest-client-options.js';
import { Transport, type Received, type Sending } from './transport.js';

/** What a request may say besides its URL. */
export interface Asking extends Pick<Sending, 'waitMs' | 'signal'> {
  readonly body?: unknown;
}

/** An object of the server: its body, and the links in it. */
export interface Resource {
  readonly body: Body;
  readonly links: Links;
}

/** What all objects of one client share: how to ask the server, and in which format. */
export class Connection {
  readonly #settings: CheckedRestClientOptions;
  readonly #transport: Transport;
  readonly #underWay = new Set<Promise<unknown>>();
  #format: Format = 'json';
  #root: Links | undefined;
  #closed: Promise<void> | undefined;

  constructor(settings: CheckedRestClientOptions) {
    this.#settings = settings;
    this.#transport = new Transport(settings);
  }

  /** How bodies are written. */
  get format(): Format {
    return this.#format;
  }

  /** The links of the root. */
  get root(): Links {
    if (this.#root === undefined) throw new ClosedError();
    return this.#root;
  }

  /** Reads the root, and so learns whether the server speaks CBOR. Raises ServerUnreachable, UnexpectedAnswer. */
  async open(): Promise<void> {
    const { root, format } = this.#settings;
    const accept = format === 'json' ? defaultType : `${cborType}, ${defaultType};q=0.9, application/json;q=0.8`;
    const received = await this.#send({ method: 'GET', url: root, headers: { accept } });
    const body = this.#read(root, received, (bytes, its) => decodeBody(bytes, its));
    this.#format = formatOfContentType(received.contentType);
    this.#root = new Links(body, root);
    // Whatever else it is, without these it is none.
    this.#root.url('namespaces_url');
    this.#root.url('namespace_url', { namespace: '-' });
  }

  /**
   * What is begun in here comes to its end even when the connection is closed meanwhile. Raises Closed when it is closed already; Gone when
   * the object that it is done with, of the kind given, is not there any more.
   */
  async use<T>(work: () => Promise<T>, of?: Parameters<typeof orGone>[0]): Promise<T> {
    this.checkOpen();
    const working = work();
    this.#underWay.add(working);
    try {
      return await working;
    } catch (error) {
      throw of === undefined ? error : orGone(of, error);
    } finally {
      this.#underWay.delete(working);
    }
  }

  checkOpen(): void {
    if (this.#closed !== undefined) throw new ClosedError();
  }

  /** Data as a member of a request: their CBOR, as bytes or as base64, so that nothing loses its type. Raises InvalidArgument. */
  dataToWire(data: DataDictionary, field: string): Buffer | string {
    return this.encodedToWire(encodeData(data, field));
  }

  /** The same for data that were encoded before. */
  encodedToWire(encoded: Buffer): Buffer | string {
    return this.#format === 'cbor' ? encoded : encoded.toString('base64');
  }

  /** Reads an object. */
  async get(url: URL): Promise<Resource> {
    return resourceOf(await this.ask('GET', url), url);
  }

  /** Makes a request whose answer is an object, with the links in it. */
  async post(url: URL, asking: Asking): Promise<Resource> {
    return resourceOf(await this.ask('POST', url, asking), url);
  }

  /** The server's own time, as it dates its answers. Raises NotOffered. */
  async date(): Promise<Date> {
    const { date } = await this.#send({ method: 'GET', url: this.#settings.root, headers: { accept: defaultType } });
    const time = new Date(date ?? '');
    if (Number.isNaN(time.getTime())) throw new NotOfferedError('the time');
    return time;
  }

  /** Makes a request; resolves to what is answered, undefined if that is nothing. Raises what the server raised. */
  async ask(method: Sending['method'], url: URL, { body, waitMs, signal }: Asking = {}): Promise<unknown> {
    const type = this.#format === 'cbor' ? cborType : defaultType;
    const received = await this.#send({
      method,
      url,
      headers: { accept: type, ...(body !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { body: encodeBody(body, this.#format) }),
      ...(waitMs !== undefined && { waitMs }),
      ...(signal && { signal }),
    });
    return received.status === 204 ? undefined : this.#read(url, received, decodeAnyBody);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await this.#transport.close();
  }

  #send(sending: Sending): Promise<Received> {
    const { token } = this.#settings;
    return this.#transport.send({ ...sending, headers: { ...sending.headers, ...(token !== undefined && { authorization: `Bearer ${token}` }) } });
  }

  /** The body of an answer. An answer that is no success is raised as the error that it tells of. */
  #read<T>(url: URL, received: Received, decode: (bytes: Uint8Array, format: Format) => T): T {
    const isSuccess = received.status >= 200 && received.status < 300;
    if (isSuccess) return readAnswer(url, received, decode);
    throw readAnswer(url, received, (bytes, format) => errorFromBody(checkIsError(decodeBody(bytes, format))));
  }
}

/** Raises UnexpectedAnswer. */
function readAnswer<T>(url: URL, { status, contentType, bytes }: Received, decode: (bytes: Uint8Array, format: Format) => T): T {
  try {
    return decode(bytes, formatOfContentType(contentType));
  } catch (error) {
    throw new UnexpectedAnswerError(urlWithoutQuery(url), problemOf(status, contentType, error), { cause: error });
  }
}

function resourceOf(answer: unknown, url: URL): Resource {
  try {
    const body = asBody(answer, 'the answer');
    return { body, links: new Links(body, url) };
  } catch (error) {
    throw new UnexpectedAnswerError(urlWithoutQuery(url), (error as CoordinateError).message, { cause: error });
  }
}

/** Something in between may answer in JSON, too. */
function checkIsError(body: Body): Body {
  if (typeof body.error !== 'string' || typeof body.message !== 'string') throw new MalformedRequestError('it is no error of the protocol');
  return body;
}

function problemOf(status: number, contentType: string | undefined, error: unknown): string {
  if (status === 401 || status === 403) return `it answers ${status}, so give a token that it accepts as options.token`;
  if (error instanceof UnsupportedMediaTypeError) return `it answers ${status} with a body of type ${JSON.stringify(contentType ?? 'none')}`;
  return `it answers ${status} with what cannot be read (${error instanceof CoordinateError ? String(error.details.problem) : String(error)})`;
}

function urlWithoutQuery({ origin, pathname }: URL): string {
  return origin + pathname;
}
