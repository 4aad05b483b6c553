import { HeadReader, Major } from './head.js';

interface StandIn {
  /** Its place among all byte strings written. */
  readonly ordinal: number;
  readonly head: number;
  readonly length: number;
}

/**
 * Items that cbor-x cannot write, such as the float 1.0, are given to it as a byte string of as many bytes as their head is
 * followed by; afterwards the head of that byte string is replaced. A byte string is found again by its place among all byte
 * strings, in the order in which they are written.
 */
export class HeadPatches {
  private byteStrings = 0;
  private standIns: StandIn[] | undefined;

  /** To be called for each byte string that is to stay one. */
  countBytes(): void {
    this.byteStrings++;
  }

  /** The stand-in for an item of this head byte followed by these bytes (at most 23). */
  standIn(head: number, payload: Uint8Array): Uint8Array {
    this.standIns ??= [];
    this.standIns.push({ ordinal: this.byteStrings++, head, length: payload.length });
    return payload;
  }

  /** Puts the right heads in place. @throws Error when the byte strings are not those announced. */
  apply(encoded: Buffer): void {
    if (this.standIns === undefined) return;
    const reader = new HeadReader(new DataView(encoded.buffer, encoded.byteOffset, encoded.length));
    let byteStrings = 0;
    for (const { ordinal, head, length } of this.standIns) {
      for (;;) {
        const start = reader.at;
        reader.next();
        if (reader.major !== Major.bytes && reader.major !== Major.text) continue;
        reader.at += reader.argument;
        if (reader.major === Major.text || byteStrings++ < ordinal) continue;
        if (reader.argument !== length) throw new Error('it changed while it was being written');
        encoded[start] = head;
        break;
      }
    }
  }
}
