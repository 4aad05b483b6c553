import { timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { parse } from 'yaml';
import { wallClock } from '../clock/index.js';
import { BadTokenFileError, InvalidArgumentError, NotAuthenticatedError } from '../errors/index.js';
import { Access } from './access.js';
import { readTokenEntry, type TokenEntry } from './token-entry.js';
import { hashToken, isToken } from './token.js';

/** An entry, and what it allows. */
interface Known extends TokenEntry {
  readonly access: Access;
}

/**
 * The tokens that a server knows, from a file in YAML: a list of `{name, sha256, roles, expires}`. What `token new` prints is a line of it.
 *
 * @example
 * const tokens = await TokenFile.load('tokens.yaml');
 * await using server = await serveRest({ coordinate, host: '0.0.0.0', tokens });
 * process.on('SIGHUP', () => void tokens.reload().catch(console.error));
 */
export class TokenFile {
  readonly path: string;
  readonly #clock: { now(): Date };
  #entries: readonly Known[] = [];

  private constructor(path: string, clock: { now(): Date }) {
    this.path = path;
    this.#clock = clock;
  }

  /** Reads the file. Raises BadTokenFile. `clock` says when a token has expired. */
  static async load(path: string, { clock = wallClock }: { clock?: { now(): Date } } = {}): Promise<TokenFile> {
    const file = new TokenFile(path, clock);
    await file.reload();
    return file;
  }

  /** How many entries it has. */
  get size(): number {
    return this.#entries.length;
  }

  /** Reads the file again; what is under way goes on with what it was allowed. Raises BadTokenFile, and then all stays as it was. */
  async reload(): Promise<void> {
    this.#entries = await readEntries(this.path);
  }

  /** What the holder of the token may do. Raises NotAuthenticated, which says why. */
  authenticate(token: string): Access {
    const known = isToken(token) ? this.#find(hashToken(token)) : undefined;
    if (known === undefined) throw new NotAuthenticatedError('the token is not one of this server');
    return this.#unexpired(known);
  }

  /** What the holder of the token of this name may do, for a port that everybody uses in his name. Raises NotAuthenticated. */
  accessOf(name: string): Access {
    const known = this.#entries.find((entry) => entry.name === name);
    if (known === undefined) throw new NotAuthenticatedError(`there is no token ${JSON.stringify(name)} in the token file`);
    return this.#unexpired(known);
  }

  #unexpired({ access, expires }: Known): Access {
    if (expires !== null && expires <= this.#clock.now()) throw new NotAuthenticatedError('the token has expired');
    return access;
  }

  /** Looks at all of them, whichever it is. */
  #find(hash: Buffer): Known | undefined {
    let found: Known | undefined;
    for (const entry of this.#entries) {
      if (timingSafeEqual(entry.hash, hash)) found = entry;
    }
    return found;
  }
}

async function readEntries(path: string): Promise<Known[]> {
  try {
    const list = parse(await readFile(path, 'utf8'), { maxAliasCount: 0 }) as unknown;
    if (!Array.isArray(list)) throw new InvalidArgumentError('it', 'must be a list, with a line for each token as `pg-coordinate token new` prints it');
    const entries = list.map((value: unknown, index) => readTokenEntry(value, `[${index}]`));
    const names = entries.map(({ name }) => name);
    const twice = names.find((name, index) => names.indexOf(name) !== index);
    if (twice !== undefined) throw new InvalidArgumentError('it', `has two tokens of the name ${JSON.stringify(twice)}`);
    return entries.map((entry) => ({ ...entry, access: new Access(entry.name, entry.roles) }));
  } catch (error) {
    const [problem] = (error instanceof Error ? error.message : String(error)).split('\n');
    throw new BadTokenFileError(path, problem ?? '', { cause: error });
  }
}
