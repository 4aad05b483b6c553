import type { Attempt } from '../../core/attempt/attempt.js';
import { findAttempt as findOne } from '../../core/attempt/find-attempts.js';
import { CoordinateError, NoSuchAttemptError } from '../../errors/index.js';
import { completionFromBody, decodeName, decodeTextName, type AttemptAction, type Completion } from '../wire/index.js';
import { ok, type Answer } from './answer.js';
import { attemptBody } from './attempt-bodies.js';
import type { Exchange } from './exchange.js';
import { knownNamespace } from './namespace.js';
import type { Handler } from './route.js';

/** Numbers of attempts begin with 1. */
const NUMBER = /^[1-9]\d{0,15}$/;

/** Which attempt a path means. Raises MalformedRequest; NoSuchAttempt. */
export function attemptReference({ spec = '', unit = '', worker = '', number = '' }: Exchange['segments']): {
  workSpec: string;
  workUnit: Buffer;
  worker: string;
  number: number;
} {
  if (!NUMBER.test(number) || !Number.isSafeInteger(Number(number))) throw new NoSuchAttemptError();
  return { workSpec: decodeTextName(spec), workUnit: decodeName(unit), worker: decodeTextName(worker), number: Number(number) };
}

export async function findAttempt(exchange: Exchange): Promise<Attempt> {
  const namespace = await knownNamespace(exchange);
  const reference = attemptReference(exchange.segments);
  const attempt = await findOne(namespace, reference);
  if (attempt instanceof CoordinateError) throw attempt;
  if (attempt.worker.name !== reference.worker) throw new NoSuchAttemptError();
  return attempt;
}

export async function getAttempt(attempt: Attempt, { format }: Exchange): Promise<Answer> {
  return ok(attemptBody(attempt, await attempt.read(), format));
}

/** The handler of what can be reported on an attempt. */
export function reportOf(action: AttemptAction): Handler<Attempt> {
  return async (attempt, { body }) => {
    await reporters[action](attempt, completionFromBody(body));
    return undefined;
  };
}

/** What each report does. */
export const reporters: Readonly<Record<AttemptAction, (attempt: Attempt, completion: Completion) => Promise<void>>> = {
  renew: (attempt, { data, extendMs }) => attempt.renew(extendMs, data),
  expire: (attempt, { data }) => attempt.expire(data),
  finish: (attempt, { data }) => attempt.finish(data),
  fail: (attempt, { data }) => attempt.fail(data),
  retry: (attempt, { data, delayMs }) => attempt.retry(data, delayMs),
};
