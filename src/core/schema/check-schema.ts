import { fieldPath } from '../../codec/field-path.js';
import type { DataDictionary } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { kindOf } from '../../options/index.js';
import type { SchemaIssue, StandardSchema } from './standard-schema.js';

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
 * `data.address.zip`, says what the first issue says, and has all issues as its cause. Whatever else a schema does, which is code of
 * the user's, ends in an InvalidArgument for the data, too: among many units it tells which one it was.
 */
export function checkData(
  schema: StandardSchema<DataDictionary>,
  data: unknown,
  field: string,
): DataDictionary | Promise<DataDictionary> {
  const failed = (error: unknown): never => {
    if (error instanceof SchemaError) throw new InvalidArgumentError(error.field, error.problem, { cause: error.issues });
    throw new InvalidArgumentError(field, `could not be checked, as its schema threw ${shown(error)}`, { cause: error });
  };
  try {
    const result: unknown = schema['~standard'].validate(data);
    if (!isThenable(result)) return accepted(result, field);
    // Not by its own then(): one that is no native promise may return anything.
    return Promise.resolve(result).then((settled) => accepted(settled, field)).catch(failed);
  } catch (error) {
    return failed(error);
  }
}

/** What is wrong with data, told apart from what a schema throws, be it an InvalidArgument of something else. */
class SchemaError extends Error {
  readonly field: string;
  readonly problem: string;
  readonly issues: unknown;

  constructor(field: string, problem: string, issues: unknown) {
    super(problem);
    this.field = field;
    this.problem = problem;
    this.issues = issues;
  }
}

function accepted(result: unknown, field: string): DataDictionary {
  const { issues, value } = typeof result === 'object' && result !== null ? (result as Record<string, unknown>) : { issues: null };
  if (issues === undefined) return value as DataDictionary;
  if (!Array.isArray(issues)) {
    const problem = 'could not be checked, as its schema answered with neither a value nor a list of issues';
    throw new SchemaError(field, problem, result);
  }
  const issue = (issues as readonly unknown[])[0] as Partial<SchemaIssue> | null | undefined;
  const message: unknown = issue?.message;
  const problem = typeof message === 'string' ? message : 'is not what the schema asks for';
  throw new SchemaError(fieldPath(field, pathOf(issue?.path)), problem, issues);
}

/** Of a path that is none, nothing is said. */
function pathOf(path: unknown): unknown[] {
  if (!Array.isArray(path)) return [];
  return (path as readonly unknown[]).map((step) => {
    const key = typeof step === 'object' && step !== null && 'key' in step ? step.key : step;
    return typeof key === 'symbol' ? String(key) : key;
  });
}

function shown(error: unknown): string {
  return error instanceof Error ? `an error: ${error.message}` : kindOf(error);
}

/** Whether a value is still to come. */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
