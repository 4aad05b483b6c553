import { randomUUID } from 'node:crypto';
import { int8Array, statement, type Unsubscribe } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { parsePayload, type Message } from './payload.js';

/** Parameters: namespace ids, listener. */
const registerWatcher = statement(
  'notify.register-watcher',
  (s) => `
    insert into ${s}.watcher (namespace_id, listener, expires_at)
    select namespace_id, $2::text, statement_timestamp() + interval '60 seconds' from unnest($1::bigint[]) as n (namespace_id)
    on conflict (namespace_id, listener) do update set expires_at = excluded.expires_at`,
);

/** Also what processes have left that ended without a word. Parameters: namespace id, listener. */
const removeWatcher = statement(
  'notify.remove-watcher',
  (s) => `
    delete from ${s}.watcher
    where namespace_id = $1::bigint and (listener = $2::text or expires_at < statement_timestamp() - interval '10 minutes')`,
);

const refreshEveryMs = 20_000;

/** After so long without a refresh, in milliseconds, others may have taken the watcher for dead. */
const mayBeForgottenMs = 50_000;

/** How long a namespace is watched on when nobody wants to hear of it any more: somebody may again in a moment. */
const lingerMs = 1_000;

/** Somebody who wants to hear what happens in a namespace. */
export interface Watcher {
  readonly onMessage: (message: Message) => void;
  /** Something may have happened that nobody has told. */
  readonly onMissed: () => void;
}

interface Watched {
  readonly watchers: Set<Watcher>;
  registered: Promise<void>;
}

/** What this process hears of the namespaces of a bucket: one subscription, and one row for each namespace that others look at. */
export class Watching {
  readonly #bucket: Bucket;
  readonly #listener = randomUUID();
  readonly #namespaces = new Map<number, Watched>();
  #subscription: Promise<Unsubscribe> | undefined;
  #refreshing: NodeJS.Timeout | undefined;
  #refreshedAt = performance.now();
  /** Changes of our rows, one after another. */
  #work: Promise<unknown> = Promise.resolve();

  constructor(bucket: Bucket) {
    this.#bucket = bucket;
  }

  /** Whether what happens is heard of. */
  get connected(): boolean {
    return this.#bucket.backend.listener.connected;
  }

  /** Watches a namespace; resolves once others know, to what ends it. Raises what statements raise. */
  async add(namespaceId: number, watcher: Watcher): Promise<() => void> {
    let watched = this.#namespaces.get(namespaceId);
    if (watched === undefined) {
      watched = { watchers: new Set(), registered: Promise.resolve() };
      this.#namespaces.set(namespaceId, watched);
      watched.registered = this.#subscribe().then(() => this.#register([namespaceId]));
    }
    watched.watchers.add(watcher);
    const remove = (): void => this.#remove(namespaceId, watcher);
    try {
      await watched.registered;
    } catch (error) {
      if (this.#namespaces.get(namespaceId) === watched) this.#namespaces.delete(namespaceId);
      throw error;
    }
    return remove;
  }

  /** Stops all. What others still tell is not heard. */
  close(): void {
    clearInterval(this.#refreshing);
    this.#namespaces.clear();
  }

  #remove(namespaceId: number, watcher: Watcher): void {
    const watched = this.#namespaces.get(namespaceId);
    if (watched?.watchers.delete(watcher) !== true || watched.watchers.size > 0) return;
    setTimeout(() => {
      if (watched.watchers.size > 0 || this.#namespaces.get(namespaceId) !== watched) return;
      this.#namespaces.delete(namespaceId);
      // What cannot be removed is taken for dead before long.
      this.#inTurn(() => this.#bucket.run(removeWatcher, [namespaceId, this.#listener])).catch(() => undefined);
      if (this.#namespaces.size > 0) return;
      clearInterval(this.#refreshing);
      void this.#subscription?.then((unsubscribe) => unsubscribe());
      this.#subscription = undefined;
    }, lingerMs).unref();
  }

  #subscribe(): Promise<Unsubscribe> {
    const { listener } = this.#bucket.backend;
    if (this.#subscription === undefined) {
      this.#subscription = listener.subscribe(this.#bucket.schema, (payload) => this.#tell(payload), (connected) => {
        // The server may have crashed, and with it our rows are gone.
        if (connected) void this.#refresh().finally(() => this.#tellMissed());
      });
      clearInterval(this.#refreshing);
      this.#refreshing = setInterval(() => void this.#refresh(), refreshEveryMs).unref();
    }
    return this.#subscription;
  }

  async #refresh(): Promise<void> {
    const isLate = performance.now() - this.#refreshedAt > mayBeForgottenMs;
    await this.#register([...this.#namespaces.keys()]).catch(() => undefined);
    if (isLate) this.#tellMissed();
  }

  #register(namespaceIds: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const began = performance.now();
      await this.#bucket.run(registerWatcher, [int8Array(namespaceIds), this.#listener]);
      this.#refreshedAt = began;
    });
  }

  #inTurn<T>(task: () => Promise<T>): Promise<T> {
    const result = this.#work.then(task);
    this.#work = result.catch(() => undefined);
    return result;
  }

  #tell(payload: string): void {
    const message = parsePayload(payload);
    if (message === null) return;
    for (const watcher of [...(this.#namespaces.get(message.namespaceId)?.watchers ?? [])]) watcher.onMessage(message);
  }

  #tellMissed(): void {
    for (const { watchers } of [...this.#namespaces.values()]) for (const { onMissed } of [...watchers]) onMissed();
  }
}
