import { fieldPath } from '../../codec/field-path.js';
import type { DataDictionary } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';
import type { SchemaIssue, SchemaResult, StandardSchema } from './standard-schema.js';

/** A value that is to be a schema. Those of ArkType are functions. */
export function checkSchema(value: unknown, field: string): StandardSchema<DataDictionary> {
  const isObject = (typeof value === 'object' && value !== null) || typeof value === 'function';
  if (isObject && '~standard' in value) {
    const { '~standard': standard } = value as Partial<StandardSchema<DataDictionary>>;
    if (standard?.version === 1 && typeof standard.validate === 'function') return value as StandardSchema<DataDictionary>;
  }
  throw new InvalidArgumentError(field, `must be a schema that follows Standard Schema (standardschema.dev), not ${kindOf(value)}`);
}

/**
 * What a schema makes of data: at once, unless it says that it takes time. Raises InvalidArgument that names the member at fault, such as
 * `data.address.zip`, says what the first issue says, and has all issues as its cause.
 */
export function checkData(
  schema: StandardSchema<DataDictionary>,
  data: unknown,
  field: string,
): DataDictionary | Promise<DataDictionary> {
  const result = schema['~standard'].validate(data);
  return isPromise(result) ? result.then((settled) => accepted(settled, field)) : accepted(result, field);
}

function accepted(result: SchemaResult<DataDictionary>, field: string): DataDictionary {
  if (result.issues === undefined) return result.value;
  const { issues } = result;
  const [issue] = issues;
  throw new InvalidArgumentError(fieldPath(field, pathOf(issue)), issue?.message ?? 'is not what the schema asks for', { cause: issues });
}

function pathOf(issue: SchemaIssue | undefined): (string | number)[] {
  const keys = (issue?.path ?? []).map((step) => (typeof step === 'object' ? step.key : step));
  return keys.map((key) => (typeof key === 'symbol' ? String(key) : key));
}

/** Whether a value is still to come. */
function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
