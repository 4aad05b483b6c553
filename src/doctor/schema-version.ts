import { checkSchemas } from '../database/migrate/index.js';
import { CoordinateError } from '../errors/index.js';
import type { Check } from './check.js';

const advice: Readonly<Record<string, string>> = {
  SchemaMissing: 'Run `pg-coordinate migrate`, or name the right schema with --schema.',
  SchemaTooOld: 'Run `pg-coordinate migrate`.',
  SchemaTooNew: 'Update pg-coordinate on this machine.',
};

export const schemaVersion: Check = {
  name: 'schema version',
  advice: 'Run `pg-coordinate migrate`.',
  async check({ client, catalog, buckets }) {
    try {
      await checkSchemas(client, { catalog, buckets });
      return [];
    } catch (error) {
      if (!(error instanceof CoordinateError) || advice[error.code] === undefined) throw error;
      const { schema, missing, unknown } = error.details;
      const what =
        error.code === 'SchemaMissing'
          ? 'has no tables of pg-coordinate'
          : error.code === 'SchemaTooOld'
            ? `lacks the migration ${missing}`
            : `has the migration ${unknown}, which this version does not know`;
      return [{ severity: 'problem', text: `The schema "${schema}" ${what}.`, advice: advice[error.code] ?? this.advice }];
    }
  },
};
