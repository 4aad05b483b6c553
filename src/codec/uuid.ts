import { InvalidArgumentError } from '../errors/index.js';

const CANONICAL = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/i;

/** A UUID: CBOR tag 37 around 16 bytes. Kept apart from its text, because Python clients tell the two apart. */
export class Uuid {
  /** The 16 bytes, most significant first. */
  readonly bytes: Uint8Array;

  /** @throws InvalidArgumentError when these are not 16 bytes. They are copied. */
  constructor(bytes: Uint8Array) {
    if (bytes.length !== 16) throw new InvalidArgumentError('uuid', `a UUID has 16 bytes, not ${bytes.length}`);
    this.bytes = Uint8Array.from(bytes);
  }

  /**
   * Reads the canonical form, such as `9c1e3ab4-61a5-4e45-9d8b-2f1c52b16e07`, in either case.
   * @throws InvalidArgumentError for any other text.
   */
  static fromString(text: string): Uuid {
    if (!CANONICAL.test(text)) {
      throw new InvalidArgumentError('uuid', `${JSON.stringify(text.slice(0, 60))} is not a UUID of the form 8-4-4-4-12 hex digits`);
    }
    return new Uuid(Buffer.from(text.replaceAll('-', ''), 'hex'));
  }

  /** The canonical form, in lower case. */
  toString(): string {
    const hex = Buffer.from(this.bytes).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  /** The canonical form: `JSON.stringify` shows a UUID as its text. */
  toJSON(): string {
    return this.toString();
  }
}
