import type { PostgresNamespace } from '../../core/namespace/postgres-namespace.js';
import type { Row } from '../../database/index.js';
import { GoneError } from '../../errors/index.js';
import type { KeyPath } from './key-path.js';
import { dropLabel, holdersOfPaths, keepOrDropPaths, lockPaths } from './lock-statements.js';

/** The locks of one namespace, kept in the database. Raises Gone once the namespace was destroyed. */
export class PathLocks {
  readonly #namespace: PostgresNamespace;

  constructor(namespace: PostgresNamespace) {
    this.#namespace = namespace;
  }

  /** Locks all the paths or none; resolves to the first that cannot be locked, or null. */
  async lockAll(owner: Uint8Array, seconds: number, paths: readonly KeyPath[]): Promise<KeyPath | null> {
    const verdicts = await this.#lock(owner, seconds, paths, true);
    return paths[verdicts.indexOf(false)] ?? null;
  }

  /** Locks one path after another, as far as they can be; resolves to whether each was. */
  lockSome(owner: Uint8Array, seconds: number, paths: readonly KeyPath[]): Promise<readonly boolean[]> {
    return this.#lock(owner, seconds, paths, false);
  }

  /** Holds the paths until so many seconds from now; null: gives them back. All of them, or none if the owner does not hold one of them. */
  async keepOrDrop(owner: Uint8Array, seconds: number | null, paths: readonly KeyPath[]): Promise<NotHeld | null> {
    const [row] = await this.#run(keepOrDropPaths, [this.#now, Buffer.from(owner), seconds, paths.map(literalOf)]);
    if (row?.place === null || row === undefined) throw new GoneError();
    const path = paths[Number(row.place) - 1];
    return path === undefined ? null : { path, holder: row.holder as Uint8Array | null };
  }

  /** Who holds each of the paths. */
  async holders(paths: readonly KeyPath[]): Promise<(Uint8Array | null)[]> {
    return (await this.#run(holdersOfPaths, [this.#now, paths.map(literalOf)])).map((row) => row.owner as Uint8Array | null);
  }

  /** Drops all locks on and below a path of this one label. */
  async dropBelow(label: Uint8Array): Promise<void> {
    await this.#run(dropLabel, [label]);
  }

  async #lock(owner: Uint8Array, seconds: number, paths: readonly KeyPath[], allOrNone: boolean): Promise<readonly boolean[]> {
    const [row] = await this.#run(lockPaths, [this.#now, Buffer.from(owner), seconds, paths.map(literalOf), allOrNone]);
    if (row?.verdicts === null || row === undefined) throw new GoneError();
    return row.verdicts as boolean[];
  }

  get #now(): string | null {
    return this.#namespace.bucket.backend.now();
  }

  #run(statement: typeof lockPaths, values: readonly unknown[]): Promise<readonly Row[]> {
    const { bucket, id } = this.#namespace;
    return bucket.backend.run(statement, [id, ...values]);
  }
}

/** A path that is not held by whoever says so. */
export interface NotHeld {
  readonly path: KeyPath;
  readonly holder: Uint8Array | null;
}

/** PostgreSQL's text for an array of labels. */
function literalOf({ labels }: KeyPath): string {
  return `{${labels.map((label) => String.raw`"\\x${label.toString('hex')}"`).join(',')}}`;
}
