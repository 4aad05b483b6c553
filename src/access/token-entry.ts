import { InvalidArgumentError } from '../errors/index.js';
import { checkName, checkOptions, kindOf } from '../options/index.js';
import { roles, type Role } from './role.js';

/** What the file says about one token. */
export interface TokenEntry {
  /** Whose it is, for logs and for people. */
  readonly name: string;
  /** The SHA-256 of the token. */
  readonly hash: Buffer;
  /** By namespace; `*` stands for all. */
  readonly roles: ReadonlyMap<string, readonly Role[]>;
  /** From then on it is worth nothing; null: it does not expire. */
  readonly expires: Date | null;
}

const fields = ['name', 'sha256', 'roles', 'expires'] as const;

/** Reads an entry of the file. Raises InvalidArgument, which says where. */
export function readTokenEntry(value: unknown, field: string): TokenEntry {
  if (value === undefined) throw new InvalidArgumentError(field, 'must be an object');
  const given = checkOptions(value as Partial<Record<(typeof fields)[number], unknown>>, field, fields);
  return {
    name: checkName(given.name, `${field}.name`, { mayBeEmpty: false }),
    hash: readHash(given.sha256, `${field}.sha256`),
    roles: readRoles(given.roles, `${field}.roles`),
    expires: readExpiry(given.expires, `${field}.expires`),
  };
}

/** The line of the file, which is a list in YAML. */
export function writeTokenEntry({ name, hash, roles: given, expires }: TokenEntry): string {
  const text = JSON.stringify({
    name,
    sha256: hash.toString('hex'),
    roles: Object.fromEntries(given),
    expires: expires === null ? 'never' : expires.toISOString(),
  });
  return `- ${text}`;
}

function readHash(value: unknown, field: string): Buffer {
  if (typeof value !== 'string' || !/^[0-9a-f]{64}$/i.test(value)) throw new InvalidArgumentError(field, 'must be 64 hexadecimal digits');
  return Buffer.from(value, 'hex');
}

function readRoles(value: unknown, field: string): ReadonlyMap<string, readonly Role[]> {
  const wanted = `must be such as {"*": [read]} or {tasks: [produce, work]}, with roles of ${roles.join(', ')}`;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InvalidArgumentError(field, wanted);
  const entries = Object.entries(value).map(([namespace, list]): [string, readonly Role[]] => {
    if (!Array.isArray(list) || list.length === 0 || !list.every(isRole)) throw new InvalidArgumentError(field, wanted);
    return [checkName(namespace, field), list];
  });
  if (entries.length === 0) throw new InvalidArgumentError(field, wanted);
  return new Map(entries);
}

export function isRole(value: unknown): value is Role {
  return (roles as readonly unknown[]).includes(value);
}

/** Left out is a mistake, not for ever: that is `never`. */
function readExpiry(value: unknown, field: string): Date | null {
  if (value === 'never') return null;
  const time = typeof value === 'string' && /^\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d))?$/.test(value) ? new Date(value) : null;
  if (time === null || Number.isNaN(time.getTime())) {
    throw new InvalidArgumentError(field, `must be a time such as 2027-11-20 or 2027-11-20T12:00:00Z, or never, not ${shown(value)}`);
  }
  return time;
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 40)) : kindOf(value);
}
