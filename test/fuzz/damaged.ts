import fc from 'fast-check';

/** Bytes of which some are changed, left out, or put in. */
export function damaged(bytes: fc.Arbitrary<Buffer>): fc.Arbitrary<Buffer> {
  const damage = fc.record({ at: fc.nat(), byte: fc.integer({ min: 0, max: 255 }), kind: fc.constantFrom('change', 'drop', 'insert') });
  return fc.tuple(bytes, fc.array(damage, { minLength: 1, maxLength: 4 })).map(([whole, damages]) => {
    const list = [...whole];
    for (const { at, byte, kind } of damages) {
      const place = at % (list.length + 1);
      list.splice(place, kind === 'insert' ? 0 : 1, ...(kind === 'drop' ? [] : [byte]));
    }
    return Buffer.from(list);
  });
}
