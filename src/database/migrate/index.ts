export { checkSchemas } from './check-schemas.js';
export { dropSchemas, migrateSchemas, type SchemaNames } from './migrate-schemas.js';
