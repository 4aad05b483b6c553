import { createHash } from 'node:crypto';

/**
 * The bucket a new namespace goes to, 1 to `bucketCount`: the first eight bytes of the SHA-256 of its UTF-8 name, as a big-endian
 * number, modulo the count; 0 stands for the last one.
 */
export function chooseBucket(name: string, bucketCount: number): number {
  const hash = createHash('sha256').update(name, 'utf8').digest().readBigUInt64BE(0);
  return Number(hash % BigInt(bucketCount)) || bucketCount;
}
