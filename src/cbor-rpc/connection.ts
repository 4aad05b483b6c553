import type { Socket } from 'node:net';
import type { Logger } from '../database/index.js';
import { BadCborError } from '../errors/index.js';
import type { CheckedOptions } from './server-options.js';
import type { ByteBudget } from '../access/byte-budget.js';
import { MessageReader } from './wire/message-reader.js';

/** The answer to a message. */
export interface MessageAnswer {
  readonly bytes: Buffer;
  /** Called when it could not be sent. Never rejects. */
  readonly takeBack: () => Promise<void>;
}

/** Makes the answer to the content of a message, and is told meanwhile whether the client is still there. @throws BadCborError when it cannot be answered. */
export type AnswerMessage = (content: Uint8Array, hasGone: () => boolean) => Promise<MessageAnswer>;

export interface ConnectionOptions extends Pick<CheckedOptions, 'maxMessageBytes' | 'idleMs' | 'messageMs' | 'writeMs'> {
  readonly budget: ByteBudget;
  readonly answer: AnswerMessage;
  /** Whether it is known who the client is. A stranger is given little room, and little time to say it. */
  readonly isKnown: () => boolean;
  readonly logger: Logger;
}

/** How long a client may take to close a connection that has been ended, in milliseconds. */
const lingerMs = 1_000;

/** Longest message of a stranger, in bytes: it needs to hold no more than a token. */
const strangerBytes = 4_096;

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
  /** The client has ended its side, or broken off. */
  #hasGone = false;
  /** Fires when the client is too slow, or has nothing to say. */
  #timer: NodeJS.Timeout | undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#reader = new MessageReader(() => (options.isKnown() ? options.maxMessageBytes : Math.min(strangerBytes, options.maxMessageBytes)), options.budget);
    // An answer must not wait for the one before it to be acknowledged; and who is gone without a word is noticed.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    // The errors of the socket are those of reading and writing, which are dealt with there.
    socket.on('error', () => undefined);
  }

  /** Serves the client until it, or stop(), ends the connection. Never rejects. */
  async serve(): Promise<void> {
    const introduction = setTimeout(() => {
      if (!this.#options.isKnown()) this.#socket.destroy();
    }, this.#options.messageMs);
    try {
      await this.#serveMessages();
      await this.#end();
    } catch (error) {
      // Clients come and go: that one has broken off is no news.
      if (!(error instanceof BadCborError)) return;
      this.#options.logger.warn(`the connection of a CBOR-RPC client (${this.#peer}) was closed: ${error.message}`);
      await this.#end();
    } finally {
      clearTimeout(introduction);
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
    const chunks = this.#socket.iterator({ destroyOnReturn: false });
    try {
      await this.#serveChunks(chunks);
    } finally {
      // What else the client sends is passed over.
      void chunks.return?.().then(
        () => this.#socket.resume(),
        () => undefined,
      );
    }
  }

  async #serveChunks(chunks: AsyncIterator<Buffer>): Promise<void> {
    for (let read = await chunks.next(); read.done !== true; ) {
      // One ahead, or it would not be noticed that a client goes while it is being answered.
      const next = chunks.next();
      next.then(
        ({ done }) => (this.#hasGone = done === true),
        () => (this.#hasGone = true),
      );
      const wasPartial = this.#reader.isPartial;
      let answered = false;
      for (const content of this.#reader.read(read.value)) {
        answered = true;
        await this.#answer(content);
        if (this.#isStopping) return;
      }
      // The time for a message counts from its first byte on: sending one byte now and then does not help.
      if (!this.#reader.isPartial) this.#limit(this.#options.idleMs);
      else if (answered || !wasPartial) this.#limit(this.#options.messageMs);
      read = await next;
    }
  }

  async #answer(content: Uint8Array): Promise<void> {
    clearTimeout(this.#timer);
    this.#isBusy = true;
    try {
      const { bytes, takeBack } = await this.#options.answer(content, () => this.#hasGone || this.#socket.destroyed);
      this.#limit(this.#options.writeMs);
      try {
        await new Promise<void>((resolve, reject) => {
          this.#socket.write(bytes, (error) => (error ? reject(error) : resolve()));
        });
      } catch (error) {
        await takeBack();
        throw error;
      }
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
