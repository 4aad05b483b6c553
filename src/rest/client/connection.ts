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
  eventStreamType,
  formatOfContentType,
  type Body,
  type Format,
} from '../wire/index.js';
import { orGone } from './gone.js';
import { Links } from './links.js';
import type { CheckedRestClientOptions } from './rest-client-options.js';
import { Transport, type Received, type Sending } from './transport.js';

/** What a request may say besides its URL. */
export interface Asking extends Pick<Sending, 'waitMs' | 'signal' | 'isRepeatable'> {
  readonly body?: unknown;
  /** Whether nothing being there is what is wanted, when the request may have been done before its answer was lost. @default false */
  readonly absentIsDone?: boolean;
}

/** An object of the server: its body, and the links in it. */
export interface Resource {
  readonly body: Body;
  readonly links: Links;
}

/** A stream on which nothing comes for so long is taken for broken, in milliseconds: servers say every 15 s that it is there. */
const longestSilenceMs = 60_000;

/** What all objects of one client share: how to ask the server, and in which format. */
export class Connection {
  readonly #settings: CheckedRestClientOptions;
  readonly #transport: Transport;
  readonly #underWay = new Set<Promise<unknown>>();
  readonly #closing = new AbortController();
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

  /** Fires when it is closed: what would never end by itself ends then. */
  get closing(): AbortSignal {
    return this.#closing.signal;
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
  async ask(method: Sending['method'], url: URL, { body, waitMs, signal, isRepeatable, absentIsDone = false }: Asking = {}): Promise<unknown> {
    const type = this.#format === 'cbor' ? cborType : defaultType;
    const received = await this.#send({
      method,
      url,
      headers: { accept: type, ...(body !== undefined && { 'content-type': type }) },
      ...(body !== undefined && { body: encodeBody(body, this.#format) }),
      ...(waitMs !== undefined && { waitMs }),
      ...(signal && { signal }),
      ...(isRepeatable !== undefined && { isRepeatable }),
    });
    if (absentIsDone && received.isRepeated && received.status === 404) return undefined;
    return received.status === 204 ? undefined : this.#read(url, received, decodeAnyBody);
  }

  /** Opens a stream of server-sent events; resolves once the server has begun to answer, to the text as it comes. Raises what the server raised. */
  async follow(url: URL, signal: AbortSignal): Promise<AsyncIterable<string>> {
    this.checkOpen();
    const headers = this.#withToken({ accept: eventStreamType });
    const { status, contentType, body } = await this.#transport.open({ url, headers, silenceMs: longestSilenceMs, signal });
    if (status === 200 && contentType?.startsWith(eventStreamType) === true) return textOf(body);
    const received = { status, contentType, date: undefined, bytes: Buffer.from(await body.arrayBuffer()), isRepeated: false };
    return this.#read(url, received, () => {
      throw new MalformedRequestError('it is no stream of events');
    });
  }

  close(): Promise<void> {
    this.#closing.abort();
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.allSettled(this.#underWay);
    await this.#transport.close();
  }

  #send(sending: Sending): Promise<Received> {
    return this.#transport.send({ ...sending, headers: this.#withToken(sending.headers) });
  }

  #withToken(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    const { token } = this.#settings;
    return token === undefined ? headers : { ...headers, authorization: `Bearer ${token}` };
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

/** Characters may be cut between two pieces. */
async function* textOf(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const piece of pieces) yield decoder.decode(piece, { stream: true });
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
