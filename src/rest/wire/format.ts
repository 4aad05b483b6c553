/** How a body is written: as one of the JSON types, or as CBOR. */
export type Format = 'json' | 'cbor';
