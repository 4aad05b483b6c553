/** A Python tuple: CBOR tag 128 around an array. Kept apart from a list, because Python clients tell the two apart. */
export class PythonTuple implements Iterable<unknown> {
  readonly items: readonly unknown[];

  constructor(items: readonly unknown[]) {
    this.items = items;
  }

  get length(): number {
    return this.items.length;
  }

  [Symbol.iterator](): Iterator<unknown> {
    return this.items[Symbol.iterator]();
  }
}
