import { readFile } from 'node:fs/promises';
import type { TlsIdentity } from '../../access/index.js';
import { UsageError } from '../usage-error.js';

/** Reads a certificate and its key; undefined when there are to be none. Raises UsageError. */
export async function readTlsFiles(cert: string | undefined, key: string | undefined): Promise<TlsIdentity | undefined> {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) throw new UsageError('--tls-cert and --tls-key must be given together');
  const read = (path: string): Promise<Buffer> =>
    readFile(path).catch((error: unknown) => {
      throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
    });
  const [certBytes, keyBytes] = await Promise.all([read(cert), read(key)]);
  return { cert: certBytes, key: keyBytes };
}
