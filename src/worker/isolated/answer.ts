import { decodeValue, encodeValue, type DataDictionary } from '../../codec/index.js';
import { FailVerdict, ReportedVerdict, RetryVerdict } from '../verdict.js';
import { decodeThrown, encodeThrown } from './carried-error.js';

/** A handler's answer as it crosses. */
type CarriedAnswer =
  | { readonly kind: 'nothing' | 'reported' }
  | { readonly kind: 'data'; readonly data: unknown }
  | { readonly kind: 'retry'; readonly delayMs?: number | undefined; readonly data?: DataDictionary | undefined }
  | { readonly kind: 'fail'; readonly data?: DataDictionary | undefined; readonly error?: Uint8Array };

/** Writes what a handler has answered. Throws InvalidArgument for what CBOR cannot hold. */
export function encodeAnswer(answer: unknown): Uint8Array {
  return encodeValue(carried(answer), 'answer');
}

/** The answer as if the handler had been called here. */
export function decodeAnswer(bytes: Uint8Array): unknown {
  const answer = decodeValue(bytes) as CarriedAnswer;
  switch (answer.kind) {
    case 'nothing':
      return undefined;
    case 'reported':
      return new ReportedVerdict();
    case 'data':
      return answer.data;
    case 'retry':
      return new RetryVerdict(answer.delayMs, answer.data);
    case 'fail':
      return new FailVerdict(answer.data, answer.error && decodeThrown(answer.error));
    default:
      throw new TypeError('an answer of an unknown kind');
  }
}

function carried(answer: unknown): CarriedAnswer {
  if (answer === undefined) return { kind: 'nothing' };
  if (answer instanceof ReportedVerdict) return { kind: 'reported' };
  if (answer instanceof RetryVerdict) return { kind: 'retry', delayMs: answer.delayMs, data: answer.data };
  if (answer instanceof FailVerdict) {
    return { kind: 'fail', data: answer.data, ...(answer.error !== undefined && { error: encodeThrown(answer.error) }) };
  }
  return { kind: 'data', data: answer };
}
