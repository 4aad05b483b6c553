import { encodeValue, Major, Tagged } from '../../codec/index.js';
import { InvalidArgumentError } from '../../errors/index.js';
import { tooLarge } from '../refusal.js';
import { clientValue } from '../values/client-value.js';
import { embeddedCbor } from './message-reader.js';
import type { Request, RequestMessage } from './request.js';

/** What has become of a call. */
export type Outcome = { readonly result: unknown } | { readonly error: string };

/** Byte strings, as clients on Python 2 and the original server have them. */
const keys = { id: Buffer.from('id'), result: Buffer.from('result'), error: Buffer.from('error') } as const;

/** The answer to one call, as it is encoded. */
function answerMap({ id }: Request, outcome: Outcome): Map<unknown, unknown> {
  const answer = new Map<unknown, unknown>([[keys.id, id]]);
  return 'error' in outcome ? answer.set(keys.error, { message: outcome.error }) : answer.set(keys.result, clientValue(outcome.result));
}

/** Bytes of an answer beside its result. */
const smallAnswer = 1_000;

/** The bytes of an answer. */
export interface EncodedAnswer {
  readonly bytes: Buffer;
  /** Whether it tells of the outcome; else of why that cannot be told. */
  readonly tells: boolean;
}

/** The answer to one call. A result that is too large, or that cannot be written, becomes an error. */
export function encodeAnswer(request: Request, outcome: Outcome, maxBytes: number): EncodedAnswer {
  const instead = (error: string): EncodedAnswer => ({ bytes: encodeValue(answerMap(request, { error })), tells: false });
  try {
    const bytes = encodeValue(answerMap(request, outcome), 'result');
    return bytes.length <= Math.max(maxBytes, smallAnswer) ? { bytes, tells: true } : instead(tooLarge(maxBytes).message);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    return instead(error.message);
  }
}

/** The message that answers a message: with the answer to its call, or a list of the answers to its calls. */
export function answerMessage({ isBatch }: RequestMessage, answers: readonly Buffer[]): Buffer {
  const content = isBatch ? Buffer.concat([listHead(answers.length), ...answers]) : answers[0];
  return encodeValue(new Tagged(embeddedCbor, content));
}

function listHead(length: number): Buffer {
  if (length < 24) return Buffer.of((Major.list << 5) | length);
  return Buffer.of((Major.list << 5) | 25, length >> 8, length & 255);
}
