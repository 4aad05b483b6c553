import { InvalidArgumentError } from '../../errors/index.js';
import { checkOptions, kindOf } from '../../options/index.js';
import type { EventsOptions } from './event-stream.js';

/** Raises InvalidArgument. */
export function checkEventsOptions(options: EventsOptions | undefined): EventsOptions {
  const { signal } = checkOptions(options, 'options', ['signal']);
  if (signal === undefined) return {};
  if (!(signal instanceof AbortSignal)) throw new InvalidArgumentError('options.signal', `must be an AbortSignal, not ${kindOf(signal)}`);
  return { signal };
}
