import { once } from 'node:events';
import { connect as connectSocket, type Socket } from 'node:net';
import { decodeValue, encodeValue, PythonTuple, Tagged } from '../../src/codec/index.js';
import type { CborRpcServer } from '../../src/cbor-rpc/index.js';

/** What a client on Python 2 sends for a native string: bytes. */
export const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));

export const tuple = (...items: unknown[]): PythonTuple => new PythonTuple(items);

/** A message around whatever it is to hold. */
export function message(content: Uint8Array): Buffer {
  return Buffer.from(encodeValue(new Tagged(24, content)));
}

/** A request as the Python 2 client sends it: byte strings for the keys and the method. */
export function request(id: number, method: string, params: unknown): Buffer {
  return message(
    encodeValue(
      new Map<unknown, unknown>([
        [Buffer.from('id'), id],
        [Buffer.from('method'), Buffer.from(method)],
        [Buffer.from('params'), params],
      ]),
    ),
  );
}

/** The answer within a message: its keys are read as text. */
export interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
}

/** What was sent as bytes comes as Uint8Array; Buffers would compare as something else. */
export function answerOf(encoded: Uint8Array): Answer {
  const { tag, value } = decodeValue(encoded) as Tagged;
  if (tag !== 24) throw new Error(`an answer has the tag ${tag}`);
  return decodeValue(value as Uint8Array) as Answer;
}

/** A bare TCP client that takes answers apart by the length that they begin with. */
export class Client {
  readonly socket: Socket;
  readonly #messages: Buffer[] = [];
  #chunks: Buffer[] = [];
  #size = 0;
  /** So many bytes are needed to go on. */
  #needed = 3;
  #wake: (() => void) | undefined;
  #ended = false;
  #id = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#chunks.push(chunk);
      this.#size += chunk.length;
      if (this.#size >= this.#needed) this.#takeMessages();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  static async connect({ address }: Pick<CborRpcServer, 'address'>, { paused = false } = {}): Promise<Client> {
    const socket = connectSocket(address.port, address.host);
    const client = new Client(socket);
    if (paused) socket.pause();
    await once(socket, 'connect');
    return client;
  }

  /** On a connection that is there, or coming. */
  static over(socket: Socket): Client {
    return new Client(socket);
  }

  /** Calls a method as the Python client does; resolves to the result, rejects with the error of the answer. */
  async call(method: string, ...params: unknown[]): Promise<unknown> {
    const id = ++this.#id;
    this.socket.write(request(id, method, params));
    const answer = answerOf(await this.next());
    if (answer.id !== id) throw new Error(`the answer to ${answer.id} came for ${id}`);
    if (answer.error !== undefined) throw new Error(answer.error.message);
    if (!('result' in answer)) throw new Error('an answer has no result');
    return answer.result;
  }

  /** The text of the error that a call is answered with. */
  async refused(method: string, ...params: unknown[]): Promise<string> {
    try {
      await this.call(method, ...params);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error(`${method} was not refused`);
  }

  /** The bytes of the next message. Rejects when the connection ends before. */
  async next(): Promise<Buffer> {
    for (;;) {
      const first = this.#messages.shift();
      if (first !== undefined) return first;
      if (this.#ended) throw new Error('the connection was closed');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Resolves once the connection is closed; to the messages that have come before that and were not asked for. */
  async closed(): Promise<Buffer[]> {
    while (!this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.#messages.splice(0);
  }

  close(): void {
    this.socket.destroy();
  }

  #takeMessages(): void {
    let received = Buffer.concat(this.#chunks);
    for (;;) {
      const length = messageLength(received);
      this.#needed = length ?? received.length + 1;
      if (length === undefined || received.length < length) break;
      this.#messages.push(received.subarray(0, length));
      received = received.subarray(length);
      this.#wake?.();
    }
    this.#chunks = [received];
    this.#size = received.length;
  }
}

/** The length of a message from its first bytes; undefined when these do not tell. */
export function messageLength(received: Buffer): number | undefined {
  if (received.length < 3) return undefined;
  if (received.readUInt16BE(0) !== 0xd818 || received[2]! >> 5 !== 2) throw new Error('the server sent something that is no message');
  const info = received[2]! & 31;
  if (info < 24) return 3 + info;
  const size = 1 << (info - 24);
  if (received.length < 3 + size) return undefined;
  return 3 + size + received.readUIntBE(3, size);
}
