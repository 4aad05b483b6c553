import { CborSimple, PythonTuple, Tagged } from '../../codec/index.js';

/**
 * A value as the Python client can read it: it gives up at any tag but those of tuples and UUIDs, and with it a whole answer would be lost. A
 * date, which a producer in another language may have put into data, becomes its seconds since 1970; of another tag the value within
 * remains; undefined becomes nil. What needs no change is not copied.
 */
export function clientValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return mapList(value);
  if (value instanceof PythonTuple) {
    const items = mapList(value.items);
    return items === value.items ? value : new PythonTuple(items);
  }
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Tagged) return clientValue(value.value);
  if (value instanceof CborSimple) return null;
  if (value instanceof Map) return new Map([...value].map(([key, member]) => [clientValue(key), clientValue(member)]));
  return Object.getPrototypeOf(value) === Object.prototype ? mapMembers(value) : value;
}

function mapList(list: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  list.forEach((item, index) => {
    const mapped = clientValue(item);
    if (mapped !== item) copy ??= list.slice(0, index);
    copy?.push(mapped);
  });
  return copy ?? list;
}

function mapMembers(object: object): object {
  let isChanged = false;
  const members = Object.entries(object).map(([key, member]): [string, unknown] => {
    const mapped = clientValue(member);
    if (mapped !== member) isChanged = true;
    return [key, mapped];
  });
  // fromEntries also makes an own member of `__proto__`.
  return isChanged ? Object.fromEntries(members) : object;
}
