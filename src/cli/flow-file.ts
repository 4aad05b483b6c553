import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { DataDictionary } from '../codec/index.js';
import { kindOf } from '../options/index.js';
import type { CommandIo } from './command-io.js';
import { readAll } from './read-all.js';
import { shownName } from './shown-name.js';
import { UsageError } from './usage-error.js';

/** The definition of a work spec, as a file has it. */
export type FlowSpec = DataDictionary & { readonly name: string };

/**
 * Reads work specs from YAML or JSON (which is YAML): a list of definitions, or a map from names to definitions; either may stand under
 * the key `flows`. `-` is standard input.
 */
export async function readFlowFile(path: string, io: CommandIo): Promise<FlowSpec[]> {
  return flowSpecs(await parseFlow(await readText(path, io), path), path);
}

async function readText(path: string, { stdin, directory }: CommandIo): Promise<string> {
  if (path === '-') return (await readAll(stdin)).toString('utf8');
  try {
    return await readFile(resolve(directory, path), 'utf8');
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function parseFlow(text: string, path: string): Promise<unknown> {
  const { parseDocument } = await import('yaml');
  // Integers as bigint, or those beyond 2^53 would be rounded.
  const document = parseDocument(text, { intAsBigInt: true, customTags: ['binary'] });
  const [error] = document.errors;
  if (error !== undefined) throw new UsageError(`${path === '-' ? 'standard input' : path} is not YAML: ${error.message.split('\n')[0]?.replace(/:$/, '')}`);
  return plainIntegers(document.toJS());
}

/** Integers that JavaScript holds exactly become numbers. */
function plainIntegers(value: unknown): unknown {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (Array.isArray(value)) return value.map(plainIntegers);
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  const entries = Object.entries(value).map(([key, member]): [string, unknown] => [key, plainIntegers(member)]);
  return Object.fromEntries(entries);
}

function flowSpecs(parsed: unknown, path: string): FlowSpec[] {
  const flows = isMap(parsed) && 'flows' in parsed ? parsed.flows : parsed;
  const definitions = Array.isArray(flows) ? flows : isMap(flows) ? Object.entries(flows).map(named(path)) : null;
  if (definitions === null) {
    throw new UsageError(`${path} must be a list of work specs, or a map from their names to their definitions, not ${kindOf(flows)}`);
  }
  const specs = definitions.map((definition, index) => checkSpec(definition, `${path}: work spec ${index + 1}`));
  const twice = specs.find(({ name }, index) => specs.findIndex((other) => other.name === name) < index);
  if (twice !== undefined) throw new UsageError(`${path} defines the work spec ${shownName(twice.name)} twice`);
  return specs;
}

function named(path: string): (entry: [string, unknown]) => unknown {
  return ([name, definition]) => {
    if (definition !== null && !isMap(definition)) {
      throw new UsageError(`${path}: the definition of ${shownName(name)} must be a map, not ${kindOf(definition)}`);
    }
    const given = definition ?? {};
    if ('name' in given && given.name !== name) {
      throw new UsageError(`${path}: ${shownName(name)} has another name inside, ${JSON.stringify(given.name)}`);
    }
    return { name, ...given };
  };
}

function checkSpec(definition: unknown, place: string): FlowSpec {
  if (!isMap(definition)) throw new UsageError(`${place} must be a map, not ${kindOf(definition)}`);
  const { name } = definition;
  if (typeof name !== 'string' || name === '') throw new UsageError(`${place} must have a name that is text`);
  return definition as FlowSpec;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array);
}
