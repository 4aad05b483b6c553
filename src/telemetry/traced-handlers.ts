import type { Context, Link, Span } from '@opentelemetry/api';
import type { AnyHandler, BatchHandler, Handler, HandlerContext, Handlers } from '../worker/handler.js';
import { FailVerdict, RetryVerdict } from '../worker/verdict.js';
import { attributesOf } from './span-attributes.js';
import { carrierKey, withoutCarrier } from './trace-carrier.js';
import type { Tracing } from './tracing.js';

/** Handlers of any form with a span around each call. */
export function tracedHandlers<Jobs>(tracing: Tracing, handlers: Handlers<Jobs>): Handlers<Jobs> {
  const traced = Object.entries(handlers).map(([name, handler]) => [name, tracedHandler(tracing, handler as AnyHandler | undefined)]);
  return Object.fromEntries(traced) as Handlers<Jobs>;
}

function tracedHandler(tracing: Tracing, handler: AnyHandler | undefined): AnyHandler | undefined {
  if (typeof handler === 'function') return tracedSingle(tracing, handler);
  // What is no handler, the worker refuses.
  if (typeof handler !== 'object' || handler === null) return handler;
  if ('run' in handler && typeof handler.run === 'function') return { ...handler, run: tracedSingle(tracing, handler.run) };
  if ('runBatch' in handler && typeof handler.runBatch === 'function') return { ...handler, runBatch: tracedBatch(tracing, handler.runBatch) };
  return handler;
}

/** The span has its unit's producer as parent, and a link to the claim. */
function tracedSingle(tracing: Tracing, run: Handler): Handler {
  return (context) => {
    const parent = tracing.contextOf(context.data) ?? tracing.api.context.active();
    const claim = tracing.claimOf(context.attempt);
    const links = claim === undefined ? [] : [{ context: claim }];
    return inSpan(tracing, context, { parent, links }, async (span) => {
      span.setAttributes({ 'messaging.message.id': context.name, 'coordinate.attempt': context.number });
      const answer = await run(ofHandler(context));
      tell(tracing, span, answer);
      return answer;
    });
  };
}

/** A batch has many producers: links to all of them, and to the claim. */
function tracedBatch(tracing: Tracing, runBatch: BatchHandler): BatchHandler {
  return async (batch, signal) => {
    const [first] = batch;
    if (first === undefined) return runBatch(batch, signal);
    const claim = tracing.claimOf(first.attempt);
    const links = [...(claim === undefined ? [] : [{ context: claim }]), ...tracing.linksTo(batch)];
    return inSpan(tracing, first, { parent: tracing.api.context.active(), links }, (span) => {
      span.setAttribute('messaging.batch.message_count', batch.length);
      return Promise.resolve(runBatch(batch.map(ofHandler), signal));
    });
  };
}

function inSpan<T>(
  tracing: Tracing,
  { attempt, workSpec }: HandlerContext,
  { parent, links }: { readonly parent: Context; readonly links: Link[] },
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const attributes = attributesOf('process', attempt.workUnit.workSpec.namespace.name, workSpec);
  const options = { kind: tracing.api.SpanKind.CONSUMER, attributes, links };
  return tracing.tracer.startActiveSpan(`handle ${workSpec}`, options, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      tracing.fail(span, error);
      throw error;
    } finally {
      span.end();
    }
  });
}

/** What a handler has answered, if it is not that all is well. */
function tell(tracing: Tracing, span: Span, answer: unknown): void {
  if (answer instanceof RetryVerdict) span.setAttribute('coordinate.answer', 'retry');
  else if (answer instanceof FailVerdict) tracing.fail(span, answer.error ?? 'failed by its handler');
  else if (answer instanceof Error) tracing.fail(span, answer);
}

/** What the handler is given: its data are those that its producer gave. */
function ofHandler(context: HandlerContext): HandlerContext {
  if (!Object.hasOwn(context.data, carrierKey)) return context;
  const { name, key, number, workSpec, attempt, progress } = context;
  const data = withoutCarrier(context.data);
  return {
    data,
    name,
    key,
    number,
    workSpec,
    attempt,
    progress,
    // Made when they are asked for.
    get signal() {
      return context.signal;
    },
    get log() {
      return context.log;
    },
  };
}
