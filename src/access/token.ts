import { createHash, randomBytes } from 'node:crypto';

/** So that programs which look for secrets in the wrong places know one when they see it. */
const prefix = 'pgc_';
const TOKEN = /^pgc_[A-Za-z0-9_-]{43}$/;

/** A new token: 256 random bits. */
export function makeToken(): string {
  return prefix + randomBytes(32).toString('base64url');
}

/** Whether `makeToken` can have made it: nothing that people have thought of is a token. */
export function isToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Its SHA-256: what may be kept. */
export function hashToken(token: string): Buffer {
  return createHash('sha256').update(token).digest();
}
