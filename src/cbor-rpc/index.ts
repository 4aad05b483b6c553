export { serveCborRpc, type CborRpcServer } from './serve-cbor-rpc.js';
export type { CborRpcOptions } from './server-options.js';
