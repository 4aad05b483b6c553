/**
 * The name (key) of a work unit as a caller may give it: text, which stands for its UTF-8 bytes, or any bytes; 1 to 1,000 of
 * them. Names are compared bytewise.
 */
export type WorkUnitName = string | Uint8Array;
