import { MalformedRequestError } from '../../errors/index.js';

/** Bytes that mean themselves in a path, whatever stands between client and server. */
const SAFE = /^[A-Za-z0-9._:][A-Za-z0-9._:-]*$/;
const BASE64URL = /^[A-Za-z0-9_-]*$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * A name as a segment of a path: itself where every client agrees what it means, else `-` and its bytes in base64url. `.` and
 * `..` are written the second way: whatever tidies paths would lose them.
 */
export function encodeName(name: string | Uint8Array): string {
  if (typeof name === 'string' && isSafe(name)) return name;
  const bytes = typeof name === 'string' ? Buffer.from(name, 'utf8') : Buffer.from(name);
  const text = bytes.toString('latin1');
  return isSafe(text) ? text : `-${bytes.toString('base64url')}`;
}

function isSafe(text: string): boolean {
  return SAFE.test(text) && text !== '.' && text !== '..';
}

/** The bytes of a name from a segment of a path, percent-decoded already. Raises MalformedRequest. */
export function decodeName(segment: string): Buffer {
  if (!segment.startsWith('-')) return Buffer.from(segment, 'utf8');
  const encoded = segment.slice(1);
  if (!BASE64URL.test(encoded) || encoded.length % 4 === 1) {
    throw new MalformedRequestError(`the name ${JSON.stringify(shortened(segment))} is not "-" followed by base64url without padding`);
  }
  return Buffer.from(encoded, 'base64url');
}

/** The same for names that are text: of namespaces, work specs and workers. Raises MalformedRequest. */
export function decodeTextName(segment: string): string {
  if (!segment.startsWith('-')) return segment.toWellFormed();
  try {
    return utf8.decode(decodeName(segment));
  } catch (error) {
    if (error instanceof MalformedRequestError) throw error;
    throw new MalformedRequestError(`the name ${JSON.stringify(shortened(segment))} is not UTF-8`, { cause: error });
  }
}

function shortened(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}
