/** A timestamptz column that is never null. */
export function instant(value: unknown): Date {
  return value instanceof Date ? value : new Date(String(value));
}

/** A timestamptz column. */
export function instantOrNull(value: unknown): Date | null {
  return value === null || value === undefined ? null : instant(value);
}

/** A bytea column that holds the UTF-8 of a name. */
export function nameFromBytes(value: unknown): string {
  return Buffer.from(value as Uint8Array).toString('utf8');
}

/** A bytea column. */
export function bytes(value: unknown): Buffer {
  return value as Buffer;
}
