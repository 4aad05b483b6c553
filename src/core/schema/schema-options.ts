import type { DataDictionary } from '../../codec/index.js';
import { checkOptions } from '../../options/index.js';
import { checkSchema } from './check-schema.js';
import type { StandardSchema } from './standard-schema.js';

/** How a work spec checks the data of its units. */
export interface SchemaOptions<Schema extends StandardSchema = StandardSchema<DataDictionary>> {
  /**
   * What the data of units must be, as a schema of Zod, Valibot, ArkType or any other library that follows Standard Schema. All units
   * that are added through this object are checked, and what the schema makes of them is stored, defaults and transformations
   * included: it must be what CBOR can hold. The schema is not stored: what others add is not checked, nor is what is read.
   */
  readonly schema: Schema;
}

/** The schema of an options object, if there is one. */
export function schemaOf(options: SchemaOptions<StandardSchema> | undefined): StandardSchema<DataDictionary> | undefined {
  const { schema } = checkOptions<Partial<SchemaOptions<StandardSchema>>>(options, 'options', ['schema']);
  return schema === undefined ? undefined : checkSchema(schema, 'options.schema');
}
