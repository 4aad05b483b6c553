import { randomUUID } from 'node:crypto';
import { int8Array, statement, type Unsubscribe } from '../../database/index.js';
import type { Bucket } from '../backend.js';
import { parsePayload, type Message } from './payload.js';
import { removeStale } from './remove-stale.js';

/** Parameters: namespace ids, listener, for each whether only ends are of interest. */
const registerWatcher = statement(
  'notify.register-watcher',
  (s) => `
    insert into ${s}.watcher (namespace_id, listener, expires_at, outcomes_only)
    select namespace_id, $2::text, statement_timestamp() + interval '60 seconds', outcomes_only
    from unnest($1::bigint[], $3::boolean[]) as n (namespace_id, outcomes_only)
    on conflict (namespace_id, listener) do update
    set expires_at = excluded.expires_at, outcomes_only = excluded.outcomes_only`,
);

/** Parameters: namespace id, listener. */
const removeWatcher = statement(
  'notify.remove-watcher',
  (s) => `delete from ${s}.watcher where namespace_id = $1::bigint and listener = $2::text`,
);

const refreshEveryMs = 20_000;

const sweepEveryMs = 600_000;

/** How soon a refresh that failed is tried again, in milliseconds: after a crash of the server others do not know of us. */
const refreshAgainMs = 1_000;

/** After so long without a refresh, in milliseconds, others may have taken the watcher for dead. */
const mayBeForgottenMs = 50_000;

/** How long a namespace is watched on when nobody wants to hear of it any more: somebody may again in a moment. */
const lingerMs = 1_000;

/** Somebody who wants to hear what happens in a namespace. */
export interface Watcher {
  readonly onMessage: (message: Message) => void;
  /** Something may have happened that nobody has told. */
  readonly onMissed: () => void;
  /** Wants to hear only of how attempts end: nobody needs to announce the rest for it. */
  readonly outcomesOnly?: boolean;
}

interface Watched {
  readonly watchers: Set<Watcher>;
  /** What others are told of what these want to hear. */
  outcomesOnly: boolean;
  registered: Promise<void>;
  isKnown: boolean;
}

/** What this process hears of the namespaces of a bucket: one subscription, and one row for each namespace that others look at. */
export class Watching {
  readonly #bucket: Bucket;
  readonly #listener = randomUUID();
  readonly #namespaces = new Map<number, Watched>();
  #subscription: Promise<Unsubscribe> | undefined;
  #refreshing: NodeJS.Timeout | undefined;
  #refreshingAgain: NodeJS.Timeout | undefined;
  #refreshedAt = performance.now();
  #sweptAt = Number.NEGATIVE_INFINITY;
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
    const outcomesOnly = watcher.outcomesOnly === true;
    if (watched === undefined) {
      watched = { watchers: new Set(), outcomesOnly, registered: Promise.resolve(), isKnown: false };
      this.#namespaces.set(namespaceId, watched);
      watched.registered = this.#subscribe().then(() => this.#register([namespaceId]));
    } else if (watched.outcomesOnly && !outcomesOnly) {
      watched.outcomesOnly = false;
      watched.registered = watched.registered.then(() => this.#register([namespaceId]));
    }
    watched.watchers.add(watcher);
    try {
      await watched.registered;
      watched.isKnown = true;
    } catch (error) {
      this.#forget(namespaceId, watched, watcher);
      throw error;
    }
    return () => this.#remove(namespaceId, watcher);
  }

  /** Stops all. What others still tell is not heard. */
  close(): void {
    clearInterval(this.#refreshing);
    clearTimeout(this.#refreshingAgain);
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
      this.#unsubscribeIfIdle();
    }, lingerMs).unref();
  }

  /** Undoes what add() could not bring about, and leaves those alone who have been watching before. */
  #forget(namespaceId: number, watched: Watched, watcher: Watcher): void {
    watched.watchers.delete(watcher);
    if (watched.isKnown && watched.watchers.size > 0) {
      watched.registered = Promise.resolve();
      watched.outcomesOnly = wantOutcomesOnly(watched.watchers);
      return;
    }
    if (this.#namespaces.get(namespaceId) === watched) this.#namespaces.delete(namespaceId);
    this.#unsubscribeIfIdle();
  }

  #unsubscribeIfIdle(): void {
    if (this.#namespaces.size > 0) return;
    clearInterval(this.#refreshing);
    clearTimeout(this.#refreshingAgain);
    // It may have failed: Closed.
    this.#subscription?.then((unsubscribe) => unsubscribe(), () => undefined);
    this.#subscription = undefined;
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
    clearTimeout(this.#refreshingAgain);
    for (const watched of this.#namespaces.values()) watched.outcomesOnly = wantOutcomesOnly(watched.watchers);
    try {
      await this.#register([...this.#namespaces.keys()]);
    } catch {
      if (this.#namespaces.size === 0) return;
      clearTimeout(this.#refreshingAgain);
      this.#refreshingAgain = setTimeout(() => void this.#refresh(), refreshAgainMs).unref();
      return;
    }
    if (isLate) this.#tellMissed();
  }

  #register(namespaceIds: readonly number[]): Promise<void> {
    return this.#inTurn(async () => {
      const began = performance.now();
      const outcomesOnly = namespaceIds.map((id) => this.#namespaces.get(id)?.outcomesOnly === true);
      await this.#bucket.run(registerWatcher, [int8Array(namespaceIds), this.#listener, outcomesOnly]);
      this.#refreshedAt = began;
      if (began - this.#sweptAt < sweepEveryMs) return;
      this.#sweptAt = began;
      // What it leaves counts for nothing.
      await this.#bucket.run(removeStale).catch(() => undefined);
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

function wantOutcomesOnly(watchers: ReadonlySet<Watcher>): boolean {
  return [...watchers].every(({ outcomesOnly }) => outcomesOnly === true);
}
