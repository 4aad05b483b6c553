export { checkSchemas, readApplied } from './check-schemas.js';
export { knownMigrations, migrationDirectory, type MigrationSet } from './known-migrations.js';
export { dropSchemas, migrateSchemas, type SchemaNames } from './migrate-schemas.js';
