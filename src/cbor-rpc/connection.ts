import type { Socket } from 'node:net';
import type { Logger } from '../database/index.js';
import { BadCborError } from '../errors/index.js';
import type { CheckedOptions } from './server-options.js';
import type { ByteBudget } from './wire/byte-budget.js';
import { MessageReader } from './wire/message-reader.js';

/** Makes the answer to the content of a message. @throws BadCborError when it cannot be answered. */
export type AnswerMessage = (content: Uint8Array) => Promise<Buffer>;

export interface ConnectionOptions extends Pick<CheckedOptions, 'maxMessageBytes' | 'idleMs' | 'messageMs' | 'writeMs'> {
  readonly budget: ByteBudget;
  readonly answer: AnswerMessage;
  readonly logger: Logger;
}

/** How long a client may take to close a connection that has been ended, in milliseconds. */
const lingerMs = 1_000;

/**
 * One client. Its messages are answered one after another, in their order: while one is being worked on, or its answer being taken, nothing more is
 * read, so that a client that sends without reading is kept waiting instead of filling the memory.
 */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #reader: MessageReader;
  #isStopping = false;
  #isBusy = false;
  /** Fires when the client is too slow, or has nothing to say. */
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new MessageReader(options.maxMessageBytes, options.budget);
    // An answer must not wait for the one before it to be acknowledged; and who is gone without a word is noticed.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    // The errors of the socket are those of reading and writing, which are dealt with there.
    socket.on('error', () => undefined);
  }

  /** Serves the client until it, or stop(), ends the connection. Never rejects. */
  async serve(): Promise<void> {
    try {
      await this.#serveMessages();
      await this.#end();
    } catch (error) {
      // Clients come and go: that one has broken off is no news.
      if (!(error instanceof BadCborError)) return;
      this.#options.logger.warn(`the connection of a CBOR-RPC client (${this.#peer}) was closed: ${error.message}`);
      await this.#end();
    } finally {
      clearTimeout(this.#timer);
      this.#reader.release();
      this.#socket.destroy();
    }
  }

  /** Lets the call under way end, and its answer be taken; nothing after it. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isBusy) this.#socket.destroy();
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy();
  }

  async #serveMessages(): Promise<void> {
    this.#limit(this.#options.idleMs);
    for await (const chunk of this.#socket.iterator({ destroyOnReturn: false })) {
      const wasPartial = this.#reader.isPartial;
      let answered = false;
      for (const content of this.#reader.read(chunk as Buffer)) {
        answered = true;
        await this.#answer(content);
        if (this.#isStopping) return;
      }
      // The time for a message counts from its first byte on: sending one byte now and then does not help.
      if (!this.#reader.isPartial) this.#limit(this.#options.idleMs);
      else if (answered || !wasPartial) this.#limit(this.#options.messageMs);
    }
  }

  async #answer(content: Uint8Array): Promise<void> {
    clearTimeout(this.#timer);
    this.#isBusy = true;
    try {
      const answer = await this.#options.answer(content);
      this.#limit(this.#options.writeMs);
      await new Promise<void>((resolve, reject) => {
        this.#socket.write(answer, (error) => (error ? reject(error) : resolve()));
      });
    } finally {
      this.#isBusy = false;
    }
  }

  /** Says good-bye, and waits a moment for the client to do so: at once, and what is still unread would cost it the last answers. */
  async #end(): Promise<void> {
    this.#limit(lingerMs);
    this.#socket.end();
    this.#socket.resume();
    if (!this.#socket.closed) await new Promise<void>((resolve) => this.#socket.once('close', () => resolve()));
  }

  #limit(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.destroy(), ms);
  }

  get #peer(): string {
    return `${this.#socket.remoteAddress ?? 'gone'} port ${this.#socket.remotePort ?? 0}`;
  }
}
