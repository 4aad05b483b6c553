import type { Readable } from 'node:stream';

const newline = 0x0a;
const carriageReturn = 0x0d;

/** A line of more than this is no line of any sensible input, and must not fill the memory. */
const mostBytes = 64 * 1024 * 1024;

/**
 * The lines of a stream of bytes, each without its end (`\n` or `\r\n`). Bytes and not text, as names need not be text; and by these ends
 * only, as a name may hold U+2028.
 */
export async function* linesOf(stream: Readable): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let held = 0;
  for await (const piece of stream) {
    const chunk = Buffer.isBuffer(piece) ? piece : Buffer.from(piece as Uint8Array | string);
    let from = 0;
    for (let at = chunk.indexOf(newline); at !== -1; at = chunk.indexOf(newline, from)) {
      const rest = chunk.subarray(from, at);
      yield withoutReturn(parts.length === 0 ? rest : Buffer.concat([...parts, rest]));
      parts = [];
      held = 0;
      from = at + 1;
    }
    if (from === chunk.length) continue;
    parts.push(chunk.subarray(from));
    held += chunk.length - from;
    if (held > mostBytes) throw new Error('a line of the input is longer than 64 MiB');
  }
  if (held > 0) yield withoutReturn(Buffer.concat(parts));
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}
