import type { WorkUnitName } from '../../src/core/work-unit/work-unit-name.js';

/** The bytes that a work unit's name stands for. */
export function bytesOf(name: WorkUnitName): Uint8Array {
  return typeof name === 'string' ? new TextEncoder().encode(name) : Uint8Array.from(name);
}

/** A name's bytes as a string that sorts as the bytes do. */
export function idOf(name: WorkUnitName): string {
  return Buffer.from(bytesOf(name)).toString('hex');
}

/** By the bytes of the UTF-8: JavaScript's own order of strings differs beyond U+FFFF. */
export function compareText(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
