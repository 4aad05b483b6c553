import { encodeValue } from '../../codec/index.js';
import { encodeBody } from './body.js';
import type { Format } from './format.js';

/** A list that is read, and written, some of its items at a time. */
export interface LongList {
  /** What it is called in the body, which has nothing else. */
  readonly member: string;
  readonly pages: AsyncIterable<readonly unknown[]>;
}

/** What is around the items of a list, and between them. */
interface Frame {
  readonly open: Uint8Array;
  readonly between: Uint8Array;
  readonly close: Uint8Array;
}

/** Writes a body whose only member is a list, a page in a piece; in CBOR as a list of indefinite length. */
export async function* encodeListBody({ member, pages }: LongList, format: Format): AsyncGenerator<Buffer, void> {
  const { open, between, close } = format === 'cbor' ? cborFrame(member) : jsonFrame(member);
  let before = open;
  for await (const items of pages) {
    const pieces: Uint8Array[] = [];
    for (const item of items) {
      pieces.push(before, encodeBody(item, format));
      before = between;
    }
    if (pieces.length > 0) yield Buffer.concat(pieces);
  }
  yield Buffer.concat(before === open ? [open, close] : [close]);
}

function jsonFrame(member: string): Frame {
  return { open: Buffer.from(`{${JSON.stringify(member)}:[`), between: Buffer.from(','), close: Buffer.from(']}') };
}

/** A map of one member: its key, then an array of indefinite length, and the break that ends it. */
function cborFrame(member: string): Frame {
  return { open: Buffer.concat([Buffer.of(0xa1), encodeValue(member), Buffer.of(0x9f)]), between: Buffer.alloc(0), close: Buffer.of(0xff) };
}
