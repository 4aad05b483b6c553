import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import pLimit from 'p-limit';
import type { TlsIdentity } from '../access/index.js';
import { Caller } from './caller.js';
import { Connection, type AnswerMessage } from './connection.js';
import { Dispatch } from './dispatch.js';
import type { TakeBack } from './methods/method.js';
import { checkServerOptions, messageDepth, type CborRpcOptions, type CheckedOptions } from './server-options.js';
import { answerMessage, encodeAnswer } from './wire/answer.js';
import { ByteBudget } from '../access/byte-budget.js';
import { limitConnectionsByAddress } from '../access/limit-connections-by-address.js';
import { readRequests } from './wire/request.js';

/** A server that listens. */
export interface CborRpcServer extends AsyncDisposable {
  /** Where it listens. */
  readonly address: { readonly host: string; readonly port: number };
  /** How many clients are connected. */
  readonly connections: number;
  /** Takes no more calls, answers those under way, and closes all connections. The coordinate stays open. Idempotent. */
  stop(): Promise<void>;
  /** Goes on with another certificate, for connections from now on. Only for a server that was started with one; raises the error of node:tls. */
  renewTls(identity: TlsIdentity): void;
}

/** So long may the handshake of TLS take, in milliseconds. */
const handshakeMs = 20_000;

/**
 * Serves a queue to the clients of Coordinate's CBOR-RPC protocol, as those in Python are. Resolves once it listens.
 * Raises InvalidArgument, and the error of the system when the port cannot be had.
 *
 * The original protocol has no passwords, so that by default only this machine can connect; see `tokens` for others. Any number of servers may serve
 * the same database.
 *
 * @example
 * await using coordinate = await connect('postgres://localhost/app');
 * await using server = await serveCborRpc({ coordinate, logger: console });
 * console.log(`coordinate clients connect to ${server.address.host}:${server.address.port}`);
 */
export async function serveCborRpc(options: CborRpcOptions): Promise<CborRpcServer> {
  const checked = checkServerOptions(options);
  const server = new ListeningServer(checked);
  await server.listen();
  return server;
}

/** See `AnswerMessage`; with who has sent the message. */
type AnswerCaller = (content: Uint8Array, caller: Caller, hasGone: () => boolean) => ReturnType<AnswerMessage>;

class ListeningServer implements CborRpcServer {
  readonly #options: CheckedOptions;
  readonly #server: Server;
  readonly #tlsServer: TlsServer | undefined;
  readonly #connections = new Map<Connection, Promise<void>>();
  readonly #budget: ByteBudget;
  readonly #answer: AnswerCaller;
  /** All there are, also those in the handshake of TLS. */
  readonly #sockets = new Set<Socket>();
  #address = { host: '', port: 0 };
  #stopping: Promise<void> | undefined;

  constructor(options: CheckedOptions) {
    this.#options = options;
    this.#budget = new ByteBudget(options.maxBufferedBytes);
    this.#answer = answering(options);
    // A client may end its side and still wait for answers.
    const accept = (socket: Socket): void => this.#accept(socket);
    const { tls } = options;
    this.#tlsServer = tls && createTlsServer({ cert: tls.cert, key: tls.key, allowHalfOpen: true, handshakeTimeout: handshakeMs }, accept);
    this.#server = this.#tlsServer ?? createServer({ allowHalfOpen: true }, accept);
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    // Who does not speak TLS, or does so badly, is no news.
    this.#server.on('tlsClientError', (_error, socket: Socket) => socket.destroy());
    this.#server.maxConnections = options.maxConnections;
    limitConnectionsByAddress(this.#server, options.maxConnectionsPerAddress, (address) => {
      options.logger.warn(`a CBOR-RPC client was turned away: there are ${options.maxConnectionsPerAddress} connections from ${address}`);
    });
    this.#server.on('drop', () => options.logger.warn(`a CBOR-RPC client was turned away: there are ${options.maxConnections} connections`));
  }

  get address(): { readonly host: string; readonly port: number } {
    return this.#address;
  }

  get connections(): number {
    return this.#connections.size;
  }

  async listen(): Promise<void> {
    const { host, port } = this.#options;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        // Such as running out of file descriptors: this one is lost, later ones may not be.
        this.#server.on('error', ({ message }) => this.#options.logger.error(`a CBOR-RPC client could not be accepted: ${message}`));
        resolve();
      });
    });
    const { address, port: bound } = this.#server.address() as AddressInfo;
    this.#address = { host: address, port: bound };
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  renewTls(identity: TlsIdentity): void {
    this.#tlsServer?.setSecureContext(identity);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #accept(socket: Socket): void {
    if (this.#stopping !== undefined) {
      socket.destroy();
      return;
    }
    const caller = new Caller(this.#options);
    const connection = new Connection(socket, {
      ...this.#options,
      budget: this.#budget,
      isKnown: () => caller.isKnown,
      answer: (content, hasGone) => this.#answer(content, caller, hasGone),
    });
    const served = connection.serve().finally(() => this.#connections.delete(connection));
    this.#connections.set(connection, served);
  }

  async #stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#connections.keys()) connection.stop();
    const impatience = setTimeout(() => {
      for (const connection of this.#connections.keys()) connection.destroy();
    }, this.#options.graceMs);
    try {
      await Promise.all(this.#connections.values());
      // What is left is in the handshake of TLS.
      for (const socket of this.#sockets) socket.destroy();
      await closed;
    } finally {
      clearTimeout(impatience);
    }
  }
}

/** From the content of a message, and who has sent it, to its answer. So many calls at a time are decoded and worked on; the bytes of the others wait. */
function answering(options: CheckedOptions): AnswerCaller {
  const { maxMessageBytes, maxMessageItems, maxAnswerBytes, concurrency } = options;
  const dispatch = new Dispatch({ ...options, config: options.config, maxBytes: maxAnswerBytes });
  const limits = { bytes: maxMessageBytes, items: maxMessageItems, depth: messageDepth };
  const limit = pLimit(concurrency);
  return (content, caller, hasGone) =>
    limit(async () => {
      const message = readRequests(content, limits);
      const answers: Buffer[] = [];
      const sent: TakeBack[] = [];
      let left = maxAnswerBytes;
      for (const request of message.requests) {
        const takeBacks: TakeBack[] = [];
        const outcome = await dispatch.run(request, caller, takeBacks);
        const { bytes, tells } = hasGone() && takeBacks.length > 0 ? encodeAnswer(request, gone, left) : encodeAnswer(request, outcome, left);
        if (!tells || hasGone()) await takeBack(takeBacks, options);
        else sent.push(...takeBacks);
        left -= bytes.length;
        answers.push(bytes);
      }
      return { bytes: answerMessage(message, answers), takeBack: () => takeBack(sent, options) };
    });
}

/** For a client that has ended its side, and only may be there still. */
const gone = { error: 'nothing is handed out to a client that has ended its side of the connection' };

/** Never rejects: what cannot be taken back now is, by its lease. */
async function takeBack(takeBacks: readonly TakeBack[], { logger }: CheckedOptions): Promise<void> {
  for (const undo of takeBacks) {
    await undo().catch((error: unknown) => {
      logger.warn(`what a CBOR-RPC client was not told of could not be taken back: ${error instanceof Error ? error.message : String(error)}`);
    });
  }
}
