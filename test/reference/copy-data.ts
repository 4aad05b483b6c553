import { decodeData, encodeData, type DataDictionary } from '../../src/codec/index.js';

/**
 * A copy, on the way in and on the way out, so that neither side can change what the other holds. It goes through CBOR, as all
 * data do on their way to a database and back.
 */
export function copyData<Data extends DataDictionary>(data: Data): Data {
  return decodeData(encodeData(data)) as Data;
}
