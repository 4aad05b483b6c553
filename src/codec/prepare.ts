import { isUtf8 } from 'node:buffer';
import { Tag } from 'cbor-x';
import { InvalidArgumentError } from '../errors/index.js';
import { CborFloat } from './cbor-float.js';
import { CborSimple } from './cbor-simple.js';
import { secondsOfDate } from './epoch.js';
import { fieldPath } from './field-path.js';
import type { HeadPatches } from './head-patches.js';
import { MAX_DEPTH } from './limits.js';
import { MapKeys } from './map-keys.js';
import { PythonTuple } from './python-tuple.js';
import { setMember } from './set-member.js';
import { Tagged } from './tagged.js';
import { Uuid } from './uuid.js';

const MAX_UINT32 = 0xffff_ffff;
const MIN_INT32 = -0x1_0000_0000;
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;
const MIN_INT64 = -0x1_0000_0000_0000_0000n;

/** Part of es2024; Node has it since version 20. */
interface WellFormedString {
  isWellFormed(): boolean;
}

/**
 * Checks a value and replaces whatever cbor-x would refuse or write otherwise. Parts that need no replacement are not copied, so
 * for most dictionaries this is a walk that allocates nothing.
 */
export class Preparation {
  private readonly value: unknown;
  private readonly field: string;
  private readonly patches: HeadPatches;
  /** The keys that lead to the value at hand; entries beyond the current depth are stale. */
  private readonly path: unknown[] = [];

  constructor(value: unknown, field: string, patches: HeadPatches) {
    this.value = value;
    this.field = field;
    this.patches = patches;
  }

  /** @throws InvalidArgumentError naming the part that cannot be written. */
  run(): unknown {
    return this.prepare(this.value, 0, 0);
  }

  /** `steps` is the length of the path to the value, `depth` the number of CBOR containers and tags around it. */
  private prepare(value: unknown, steps: number, depth: number): unknown {
    switch (typeof value) {
      case 'string':
        return this.text(value, steps);
      case 'number':
        return this.number(value);
      case 'boolean':
        return value;
      case 'bigint':
        return this.bigint(value, steps);
      case 'object':
        if (value === null) return value;
        return this.object(value, steps, depth);
      case 'undefined':
        throw this.refusal(steps, 'is undefined; use null');
      default:
        throw this.refusal(steps, `is a ${typeof value}, which CBOR cannot hold`);
    }
  }

  private text(text: string, steps: number): string {
    if ((text as unknown as WellFormedString).isWellFormed()) return text;
    throw this.refusal(steps, 'is a string with half of a surrogate pair, which UTF-8 cannot hold');
  }

  private number(value: number): unknown {
    if ((value | 0) === value && value !== 0) return value;
    if (Object.is(value, -0)) return this.float(value);
    // cbor-x takes everything beyond 32 bits for floats.
    if (Number.isSafeInteger(value) && (value > MAX_UINT32 || value < MIN_INT32)) return BigInt(value);
    return value;
  }

  private bigint(value: bigint, steps: number): unknown {
    // cbor-x writes every bigint in nine bytes.
    if (value >= MIN_INT32 && value <= MAX_UINT32) return Number(value);
    if (value > MIN_INT64 && value <= MAX_UINT64) return value;
    if (value === MIN_INT64) return this.patches.standIn(0x3b, Buffer.alloc(8, 0xff));
    throw this.refusal(steps, 'is a bigint out of the range of CBOR integers, -2^64 to 2^64 - 1');
  }

  private float(value: number): Uint8Array {
    const payload = Buffer.allocUnsafe(8);
    payload.writeDoubleBE(value);
    return this.patches.standIn(0xfb, payload);
  }

  private object(value: object, steps: number, depth: number): unknown {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) {
      return this.plainObject(value as Record<string, unknown>, steps, depth);
    }
    if (Array.isArray(value)) return this.list(value, steps, depth);
    if (value instanceof Uint8Array) return this.bytes(value);
    if (value instanceof CborFloat) return this.float(value.valueOf());
    if (value instanceof Map) return this.map(value, steps, depth);
    if (value instanceof CborSimple) return this.simple(value.simple);
    return this.tagged(value, steps, depth);
  }

  private bytes(value: Uint8Array): Uint8Array {
    this.patches.countBytes();
    return value;
  }

  private simple(simple: number): Uint8Array {
    return simple < 24
      ? this.patches.standIn(0xe0 | simple, Buffer.alloc(0))
      : this.patches.standIn(0xf8, Buffer.of(simple));
  }

  private tagged(value: object, steps: number, depth: number): Tag {
    this.checkDepth(steps, depth);
    if (value instanceof PythonTuple) return new Tag(this.list(value.items, steps, depth + 1), 128);
    if (value instanceof Uuid) return new Tag(this.bytes(value.bytes), 37);
    if (value instanceof Date) {
      const seconds = secondsOfDate(value);
      if (Number.isNaN(seconds)) throw this.refusal(steps, 'is an invalid date');
      return new Tag(this.number(seconds), 1);
    }
    if (value instanceof Tagged) {
      if (value.tag >>> 0 !== value.tag) throw this.refusal(steps, 'has a tag that is no integer from 0 to 2^32 - 1');
      this.path[steps] = 'value';
      return new Tag(this.prepare(value.value, steps + 1, depth + 1), value.tag);
    }
    throw this.refusal(steps, `is an instance of ${nameOfClass(value)}, which CBOR cannot hold`);
  }

  private list(list: readonly unknown[], steps: number, depth: number): readonly unknown[] {
    this.checkDepth(steps, depth);
    // cbor-x writes arrays of a class of their own, or of another realm, in another way.
    let copy: unknown[] | undefined = list.constructor === Array ? undefined : [];
    for (let index = 0; index < list.length; index++) {
      this.path[steps] = index;
      const item = list[index];
      const prepared = this.prepare(item, steps + 1, depth + 1);
      if (copy === undefined && prepared !== item) copy = list.slice(0, index);
      copy?.push(prepared);
    }
    return copy ?? list;
  }

  private plainObject(object: Record<string, unknown>, steps: number, depth: number): object {
    this.checkDepth(steps, depth);
    // An own member `constructor`, or no prototype, would make cbor-x look the object up among its extensions.
    let needsMap = object.constructor !== Object;
    let copy: Record<string, unknown> | undefined;
    for (const key of Object.keys(object)) {
      this.path[steps] = key;
      this.text(key, steps + 1);
      const member = object[key];
      if (member === undefined) {
        needsMap = true;
        continue;
      }
      const prepared = this.prepare(member, steps + 1, depth + 1);
      if (prepared === member) continue;
      copy ??= { ...object };
      setMember(copy, key, prepared);
    }
    return needsMap ? definedMembers(copy ?? object) : (copy ?? object);
  }

  private map(map: Map<unknown, unknown>, steps: number, depth: number): Map<unknown, unknown> {
    this.checkDepth(steps, depth);
    const copy = new Map<unknown, unknown>();
    const seen = new MapKeys();
    for (const [key, value] of map) {
      this.path[steps] = key;
      const preparedKey = this.prepare(key, steps + 1, depth + 1);
      if (key instanceof Uint8Array && !isUtf8(key)) throw this.refusal(steps + 1, 'is under a byte string that is not UTF-8');
      if (!seen.add(typeof preparedKey === 'object' ? key : preparedKey)) throw this.refusal(steps + 1, 'is under a key that comes twice');
      copy.set(preparedKey, this.prepare(value, steps + 1, depth + 1));
    }
    return copy;
  }

  private checkDepth(steps: number, depth: number): void {
    if (depth < MAX_DEPTH) return;
    const cycle = this.cycleLength(steps);
    if (cycle === undefined) throw this.refusal(Math.min(steps, 8), `nests deeper than ${MAX_DEPTH} levels`);
    throw this.refusal(cycle, 'contains itself, or an object around it');
  }

  /** The number of steps to the first object that is one of those around it; undefined when there is none. */
  private cycleLength(steps: number): number | undefined {
    const around = new Set<unknown>();
    let value: unknown = this.value;
    for (let step = 0; step <= steps; step++) {
      if (around.has(value)) return step;
      around.add(value);
      value = memberOf(value, this.path[step]);
    }
    return undefined;
  }

  private refusal(steps: number, problem: string): InvalidArgumentError {
    return new InvalidArgumentError(fieldPath(this.field, this.path.slice(0, steps)), problem);
  }
}

function definedMembers(object: Record<string, unknown>): Map<string, unknown> {
  return new Map(Object.entries(object).filter(([, member]) => member !== undefined));
}

function memberOf(value: unknown, key: unknown): unknown {
  if (value instanceof Map) return value.get(key);
  if (value instanceof PythonTuple) return value.items[key as number];
  return (value as Record<string, unknown>)[key as string];
}

function nameOfClass(value: object): string {
  const name: unknown = (value.constructor as { name?: unknown } | undefined)?.name;
  return typeof name === 'string' && name !== '' ? name : 'an anonymous class';
}
