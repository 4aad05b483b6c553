/** Sets an own member of a plain object, whatever its key: an assignment to `__proto__` would set the prototype instead. */
export function setMember(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key !== '__proto__') object[key] = value;
  else Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
}
