import { InvalidArgumentError } from '../errors/index.js';
import { isLoopback } from './is-loopback.js';

/** Raises InvalidArgument for an address that others reach, unless they need a token, or it is said to be meant. */
export function checkHost(host: unknown, field: string, { hasTokens, allowRemote }: { hasTokens: boolean; allowRemote: boolean }): string {
  if (typeof host !== 'string' || host === '') throw new InvalidArgumentError(field, 'must be a host name or an address');
  if (hasTokens || allowRemote || isLoopback(host)) return host;
  const problem = `is ${host}, which lets whoever reaches this machine use the queue; use 127.0.0.1, or ask for tokens, or say that it is meant (allowRemote)`;
  throw new InvalidArgumentError(field, problem);
}
