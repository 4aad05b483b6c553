/** A unit to add, checked, its data encoded. */
export interface EncodedUnit {
  readonly name: Uint8Array;
  readonly data: Buffer;
  readonly priority: number;
  readonly notBefore: Date | null;
}

/** Most units that adds which were not given as one array put into one statement. */
export const maxBatchUnits = 1_000;

/** Most bytes of names and data in such a statement, unless a single unit has more. */
export const maxBatchBytes = 4 * 1024 * 1024;

/** Units that one statement adds. Of the same name twice the last one counts: a statement can touch a row only once. */
export class UnitBatch {
  readonly #units = new Map<string, EncodedUnit>();
  #taken = 0;
  #bytes = 0;
  #lastKey = '';
  #isInOrder = true;

  /** How many units it has taken, those of the same name each for itself. */
  get taken(): number {
    return this.#taken;
  }

  /** The units, each name once, in bytewise order of their names. */
  get units(): readonly EncodedUnit[] {
    const units = [...this.#units.values()];
    return this.#isInOrder ? units : units.sort((a, b) => Buffer.compare(a.name, b.name));
  }

  /** Whether a unit of these names and data still belongs into it; the first one always does. */
  fits({ name, data }: EncodedUnit, maxUnits = maxBatchUnits): boolean {
    return this.#taken === 0 || (this.#taken < maxUnits && this.#bytes + name.length + data.length <= maxBatchBytes);
  }

  add(unit: EncodedUnit): void {
    const key = keyOf(unit.name);
    // A key's characters are the name's bytes, so they compare alike.
    if (key < this.#lastKey) this.#isInOrder = false;
    this.#lastKey = key;
    this.#units.set(key, unit);
    this.#taken++;
    this.#bytes += unit.name.length + unit.data.length;
  }

  /** Whether a name occurs in both. */
  overlaps(other: UnitBatch): boolean {
    for (const key of this.#units.keys()) if (other.#units.has(key)) return true;
    return false;
  }
}

/** A name's bytes as the key of a map. */
export function keyOf(name: Uint8Array): string {
  // No other view where it is a Buffer already: one for each unit is noticeable.
  const buffer = Buffer.isBuffer(name) ? name : Buffer.from(name.buffer, name.byteOffset, name.length);
  return buffer.toString('latin1');
}
