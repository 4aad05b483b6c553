import { encodeData, type DataDictionary } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';
import { checkData } from '../schema/check-schema.js';
import type { Telemetry } from '../telemetry/telemetry.js';
import type { StandardSchema } from '../schema/standard-schema.js';
import { checkUnitMeta, checkUnitName } from '../work-unit/check-unit.js';
import type { EncodedUnit } from '../work-unit/unit-batch.js';
import type { NewWorkUnit } from './work-spec.js';

/** The schema of a work spec, if it has one. */
export type DataSchema = StandardSchema<DataDictionary> | undefined;

/** What errors call the parts of a unit. */
export interface UnitFields {
  readonly name: string;
  readonly data: string;
  readonly meta: string;
}

/** Checks one of many units, by the schema too, and encodes it; at once, unless the schema takes time. `field` is such as `units[3]`. */
export function prepareItem(item: unknown, field: string, schema: DataSchema, stamp?: Telemetry['stamp']): EncodedUnit | Promise<EncodedUnit> {
  if (typeof item !== 'object' || item === null) {
    throw new InvalidArgumentError(field, `must be an object, not ${kindOf(item)}`);
  }
  const fields = { name: `${field}.name`, data: `${field}.data`, meta: `${field}.meta` };
  return prepareUnit(item as NewWorkUnit, fields, schema, stamp);
}

/** As prepareItem, for a unit whose parts are called otherwise. What comes back shares nothing with what was given. */
export function prepareUnit(
  unit: NewWorkUnit,
  fields: UnitFields,
  schema: DataSchema,
  stamp?: Telemetry['stamp'],
): EncodedUnit | Promise<EncodedUnit> {
  const name = checkUnitName(unit.name, fields.name);
  const { priority, notBefore } = checkUnitMeta(unit.meta, fields.meta);
  const encoded = (data: DataDictionary): EncodedUnit => ({
    name,
    data: encodeData(stamp === undefined ? data : stamp(data), fields.data),
    priority,
    notBefore: notBefore && new Date(notBefore),
  });
  if (schema === undefined) return encoded(unit.data);
  const data = checkData(schema, unit.data, fields.data);
  return data instanceof Promise ? data.then(encoded) : encoded(data);
}
