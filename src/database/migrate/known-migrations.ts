import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Which set of migrations a schema takes. */
export type MigrationSet = 'catalog' | 'bucket';

/** The table in which each schema records its own migrations. */
export const migrationsTable = 'migration';

/** Where the package keeps a set: beside src/ in its repository, beside dist/ when installed. */
export function migrationDirectory(set: MigrationSet): string {
  return fileURLToPath(new URL(`../../../migrations/${set}`, import.meta.url));
}

/** The names of the migrations this version of the package has, in their order. */
export async function knownMigrations(set: MigrationSet): Promise<string[]> {
  const files = await readdir(migrationDirectory(set));
  return files
    .filter((file) => file.endsWith('.sql'))
    .map((file) => file.slice(0, -'.sql'.length))
    .sort();
}
