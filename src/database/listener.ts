import type { Socket } from 'node:net';
import pg from 'pg';
import { ClosedError } from '../errors/index.js';
import type { Logger } from './logger.js';
import { quoteIdentifier } from './statement.js';
import { within } from './within.js';

export interface ListenerOptions {
  /** How to connect. */
  readonly config: pg.ClientConfig;
  /** Told once when the connection breaks or cannot be had, and not again until it was there. */
  readonly logger: Logger;
  /** For the jitter of the pauses: numbers in [0, 1). */
  readonly random: () => number;
  /** How long the connection stays open when nobody has a subscription any more, in milliseconds. @default 5000 */
  readonly lingerMs?: number;
  /** After how long without an answer the connection counts as broken, in milliseconds. @default 10000 */
  readonly answerMs?: number;
  /** How long subscribe() waits for what cannot be listened to yet, in milliseconds. @default 2000 */
  readonly subscribeMs?: number;
  /** How often the server is asked whether it is still there, in milliseconds. @default 20000 */
  readonly checkEveryMs?: number;
}

/** Ends a subscription: nothing more is told from now on. Idempotent. */
export type Unsubscribe = () => void;

interface Subscription {
  readonly onPayload: (payload: string) => void;
  readonly onStateChange: ((connected: boolean) => void) | undefined;
  /** subscribe() has resolved before the channel was listened to. */
  isLate: boolean;
}

/** The first pause before connecting again, in milliseconds; each further one is twice as long, times a random factor of 1 to 2. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;

/** How long connecting may take unless the pool's settings say so, in milliseconds: nobody waits for ever for what is only an aid. */
const connectionTimeoutMs = 10_000;

/** After how long without traffic the system asks whether the other side is still there, in milliseconds. */
const keepAliveAfterMs = 10_000;

/** How long closing waits for the server's good-bye, in milliseconds. */
const goodbyeMs = 2_000;

/**
 * The one connection that LISTENs for a whole coordinate. Opened by the first subscription. When it breaks it comes back by itself and
 * listens to everything again; what was sent meanwhile is lost, so subscribers are told of both.
 *
 * Nobody may rely on it: through a pooler in transaction mode LISTEN fails or hears nothing.
 */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #channels = new Map<string, Set<Subscription>>();
  /** The channels that the present client listens to. */
  readonly #heard = new Set<string>();
  #client: pg.Client | undefined;
  #connecting: pg.Client | undefined;
  #connected = false;
  #closed = false;
  #failures = 0;
  #pause: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  #checking: NodeJS.Timeout | undefined;
  /** Commands to the server go one after another. */
  #work: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Whether notifications arrive, as far as is known. */
  get connected(): boolean {
    return this.#connected;
  }

  /**
   * Calls `onPayload` with each notification on a channel, and `onStateChange` when the connection was lost or is there (again). Resolves once
   * the channel is listened to, or cannot be for now, or after 2 s: then it is tried (again) in the background. Raises Closed.
   */
  async subscribe(
    channel: string,
    onPayload: (payload: string) => void,
    onStateChange?: (connected: boolean) => void,
  ): Promise<Unsubscribe> {
    if (this.#closed) throw new ClosedError();
    clearTimeout(this.#linger);
    // A process that only listens must not end because there is no connection at the moment.
    this.#pause?.ref();
    const subscription: Subscription = { onPayload, onStateChange, isLate: false };
    const subscriptions = this.#channels.get(channel) ?? new Set();
    this.#channels.set(channel, subscriptions.add(subscription));
    await within(this.#catchUp(), this.#options.subscribeMs ?? 2_000).catch(() => {
      subscription.isLate = true;
    });
    return () => this.#unsubscribe(channel, subscription);
  }

  /** Tells the subscribers of a channel here: what the server has sent, or what is known to be committed without it. Connected or not. */
  deliver(channel: string, payload: string): void {
    for (const { onPayload } of [...(this.#channels.get(channel) ?? [])]) onPayload(payload);
  }

  /** Ends the connection; nothing is told any more. Idempotent. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#channels.clear();
    clearTimeout(this.#pause);
    clearTimeout(this.#linger);
    // Nobody waits for a server that does not answer.
    if (this.#connecting !== undefined) socketOf(this.#connecting).destroy();
    // The same while it waits for the answer to a command.
    const impatience = setTimeout(() => this.#client && socketOf(this.#client).destroy(), goodbyeMs);
    await this.#catchUp();
    clearTimeout(impatience);
  }

  #unsubscribe(channel: string, subscription: Subscription): void {
    const subscriptions = this.#channels.get(channel);
    if (subscriptions?.delete(subscription) !== true || subscriptions.size > 0) return;
    this.#channels.delete(channel);
    if (this.#channels.size > 0) {
      void this.#catchUp();
      return;
    }
    this.#pause?.unref();
    // Whoever waits for one unit after another subscribes again in a moment.
    clearTimeout(this.#linger);
    this.#linger = setTimeout(() => void this.#catchUp(), this.#options.lingerMs ?? 5_000).unref();
  }

  /** Brings what the server does for us in line with what is wanted. Never rejects. */
  #catchUp(): Promise<void> {
    this.#work = this.#work.then(() => this.#catchUpNow());
    return this.#work;
  }

  /** A network that drops packets without a word is noticed only by asking. Never rejects. */
  #check(): void {
    this.#work = this.#work.then(async () => {
      const client = this.#client;
      if (client !== undefined) await this.#ask(client, 'select 1').catch((error: unknown) => this.#broken(client, error));
    });
  }

  async #catchUpNow(): Promise<void> {
    if (this.#channels.size === 0) {
      clearTimeout(this.#pause);
      this.#pause = undefined;
      await this.#disconnect();
      return;
    }
    // It broke a moment ago, and the next try has its time.
    if (this.#pause !== undefined) return;
    try {
      this.#client ??= await this.#connect();
      await this.#listen(this.#client);
      this.#failures = 0;
      this.#tellState(true);
      this.#tellLate();
    } catch (error) {
      this.#broken(this.#client, error);
    }
  }

  async #connect(): Promise<pg.Client> {
    const { config } = this.#options;
    const { connectionTimeoutMillis = 0 } = config;
    const client = new pg.Client({
      ...config,
      // Not listed by the spread.
      ...(config.password !== undefined && { password: config.password }),
      keepAlive: true,
      keepAliveInitialDelayMillis: keepAliveAfterMs,
      connectionTimeoutMillis: connectionTimeoutMillis > 0 ? connectionTimeoutMillis : connectionTimeoutMs,
    });
    client.on('error', (error) => this.#broken(client, error));
    client.on('end', () => this.#broken(client, new Error('the server has ended it')));
    client.on('notification', ({ channel, payload = '' }) => this.deliver(channel, payload));
    this.#connecting = client;
    try {
      await client.connect();
      clearInterval(this.#checking);
      this.#checking = setInterval(() => this.#check(), this.#options.checkEveryMs ?? 20_000).unref();
      return client;
    } finally {
      this.#connecting = undefined;
    }
  }

  async #listen(client: pg.Client): Promise<void> {
    for (const channel of this.#channels.keys()) {
      if (this.#heard.has(channel)) continue;
      await this.#ask(client, `listen ${quoteIdentifier(channel)}`);
      this.#heard.add(channel);
    }
    for (const channel of this.#heard) {
      if (this.#channels.has(channel)) continue;
      await this.#ask(client, `unlisten ${quoteIdentifier(channel)}`);
      this.#heard.delete(channel);
    }
  }

  async #ask(client: pg.Client, command: string): Promise<void> {
    await within(client.query(command), this.#options.answerMs ?? 10_000);
  }

  /** Deals with a connection that broke or could not be had, once; tries again after a pause. */
  #broken(client: pg.Client | undefined, error: unknown): void {
    if (client !== this.#client || this.#closed || this.#pause !== undefined) return;
    this.#forgetClient();
    if (client !== undefined) socketOf(client).destroy();
    if (this.#failures === 0) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#options.logger.warn(`the connection that listens for notifications broke; polling meanwhile: ${problem}`);
    }
    const pause = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures * (1 + this.#options.random()));
    this.#failures++;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      void this.#catchUp();
    }, pause);
    if (this.#channels.size === 0) this.#pause.unref();
    this.#tellState(false);
  }

  async #disconnect(): Promise<void> {
    const client = this.#client;
    this.#forgetClient();
    this.#connected = false;
    if (client === undefined) return;
    const socket = socketOf(client);
    const impatience = setTimeout(() => socket.destroy(), goodbyeMs);
    await client.end().catch(() => undefined);
    clearTimeout(impatience);
  }

  #forgetClient(): void {
    this.#client = undefined;
    this.#heard.clear();
    clearInterval(this.#checking);
  }

  #tellState(connected: boolean): void {
    if (this.#connected === connected) return;
    this.#connected = connected;
    for (const subscriptions of [...this.#channels.values()]) {
      for (const subscription of [...subscriptions]) {
        subscription.isLate = false;
        subscription.onStateChange?.(connected);
      }
    }
  }

  /** Those who joined a connection that was there, and did not hear yet what they had been let believe to hear. */
  #tellLate(): void {
    for (const subscriptions of [...this.#channels.values()]) {
      for (const subscription of [...subscriptions]) {
        if (!subscription.isLate) continue;
        subscription.isLate = false;
        subscription.onStateChange?.(true);
      }
    }
  }
}

function socketOf(client: pg.Client): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream;
}
