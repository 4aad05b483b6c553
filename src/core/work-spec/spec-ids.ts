/** A spec's id is its namespace's id times this, plus a serial number. */
const specsPerNamespace = 2 ** 24;

/** The id of the namespace a spec belongs to. */
export function namespaceOfSpec(specId: number): number {
  return Math.floor(specId / specsPerNamespace);
}

/** The ids that specs of a namespace can have: from (inclusive), to (exclusive). */
export function specIdRange(namespaceId: number): readonly [from: number, to: number] {
  return [namespaceId * specsPerNamespace, (namespaceId + 1) * specsPerNamespace];
}
