export { CborFloat } from './cbor-float.js';
export { CborSimple } from './cbor-simple.js';
export { decodeData, encodeData, type DataDictionary } from './data-dictionary.js';
export { decodeValue } from './decode-value.js';
export { encodeValue } from './encode-value.js';
export { MAX_DEPTH } from './limits.js';
export { PythonTuple } from './python-tuple.js';
export { Tagged } from './tagged.js';
export { Uuid } from './uuid.js';
