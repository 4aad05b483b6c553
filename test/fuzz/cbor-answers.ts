import { answerOf, messageLength } from '../cbor-rpc/client.js';

/** What was found in the bytes of a connection. */
export interface CborAnswers {
  readonly results: number;
  readonly errors: number;
  /** What is wrong with them. */
  readonly problems: readonly string[];
}

/** Takes apart what a server has sent over one connection: whole messages, each an answer, or a list of answers to what came as a list. */
export function readCborAnswers(bytes: Buffer, isComplete: boolean): CborAnswers {
  let [results, errors] = [0, 0];
  const problems: string[] = [];
  try {
    for (let rest = bytes; rest.length > 0; ) {
      const length = messageLength(rest);
      if (length === undefined || rest.length < length) {
        if (isComplete) problems.push(`a message ends too early: ${rest.subarray(0, 100).toString('hex')}`);
        break;
      }
      for (const answer of [answerOf(rest.subarray(0, length))].flat()) {
        const isError = typeof answer.error?.message === 'string';
        if (isError === 'result' in answer) problems.push(`neither a result nor an error: ${JSON.stringify(answer)}`);
        if (isError && answer.error.message.includes('internal error')) problems.push('an internal error');
        if (isError) errors++;
        else results++;
      }
      rest = rest.subarray(length);
    }
  } catch (error) {
    problems.push(`not a message: ${String(error)} ${bytes.subarray(0, 100).toString('hex')}`);
  }
  return { results, errors, problems };
}
