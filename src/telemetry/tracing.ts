import type * as OpenTelemetry from '@opentelemetry/api';
import type { Context, Link, Span, SpanContext, Tracer } from '@opentelemetry/api';
import type { DataDictionary } from '../codec/index.js';
import type { Attempt } from '../core/attempt/attempt.js';
import type { Operation, Telemetry } from '../core/telemetry/telemetry.js';
import { InvalidArgumentError } from '../errors/index.js';
import { checkBoolean, checkOptions } from '../options/index.js';
import type { Handlers } from '../worker/handler.js';
import { attributesOf } from './span-attributes.js';
import { carrierOf, withCarrier } from './trace-carrier.js';
import { tracedHandlers } from './traced-handlers.js';

/** What of `@opentelemetry/api` is used. */
export type TracingApi = Pick<typeof OpenTelemetry, 'trace' | 'context' | 'propagation' | 'ROOT_CONTEXT' | 'SpanKind' | 'SpanStatusCode'>;

export interface TracingOptions {
  /** `import * as api from '@opentelemetry/api'`: given by you, so that it is the one your SDK registers with, and nobody else needs it. */
  readonly api: TracingApi;
  /**
   * Whether the trace context of whoever adds a unit is stored with it, in its data, under the key `trace_context`, so that its handler's span has
   * it as its parent. It changes the bytes that are stored (not those of other units); producers and workers set it alike. @default false
   */
  readonly propagate?: boolean;
}

/** How many units' producers a span is linked to at most. */
const mostLinks = 128;

/**
 * Spans of OpenTelemetry, from the producer through the claim to the handler. Without an SDK there are none, and nothing is stored.
 *
 * @example
 * import * as api from '@opentelemetry/api';
 * const tracing = new Tracing({ api, propagate: true });
 * await using coordinate = await connect(url, { telemetry: tracing });
 * await using worker = createWorker({ coordinate, namespace: 'shop', handlers: tracing.handlers({ thumbnails }) });
 */
export class Tracing implements Telemetry {
  readonly api: TracingApi;
  readonly #propagate: boolean;
  /** The spans in which attempts were claimed. */
  readonly #claims = new WeakMap<Attempt, SpanContext>();

  /** Raises InvalidArgument. */
  constructor(options: TracingOptions) {
    const { api, propagate = false } = checkOptions(options, 'options', ['api', 'propagate']);
    if (typeof api?.trace?.getTracer !== 'function') {
      throw new InvalidArgumentError('options.api', "must be the module '@opentelemetry/api'");
    }
    this.api = api;
    this.#propagate = checkBoolean(propagate, 'options.propagate');
  }

  get tracer(): Tracer {
    return this.api.trace.getTracer('pg-coordinate');
  }

  readonly around = <T>(operation: Operation, run: () => Promise<T>): Promise<T> =>
    operation.kind === 'add' ? this.#add(operation, run) : this.#claim(operation, run);

  readonly stamp = (data: DataDictionary): DataDictionary => {
    if (!this.#propagate) return data;
    const carrier: Record<string, string> = {};
    this.api.propagation.inject(this.api.context.active(), carrier);
    return withCarrier(data, carrier);
  };

  /** Handlers with a span around each call. Those in threads and processes of their own stay as they are. */
  handlers<Jobs>(handlers: Handlers<Jobs>): Handlers<Jobs> {
    return tracedHandlers(this, handlers);
  }

  /** Runs something in the context that headers such as `traceparent` tell of: what a server does for those who ask it. */
  inContextOf<T>(headers: Readonly<Record<string, unknown>>, run: () => T): T {
    const { context, propagation } = this.api;
    return context.with(propagation.extract(context.active(), headers), run);
  }

  /** The context that came with a unit; undefined: none did. */
  contextOf(data: DataDictionary): Context | undefined {
    const carrier = this.#propagate ? carrierOf(data) : undefined;
    if (carrier === undefined) return undefined;
    const context = this.api.propagation.extract(this.api.ROOT_CONTEXT, carrier);
    return this.api.trace.getSpanContext(context) === undefined ? undefined : context;
  }

  /** The span in which an attempt was claimed, if this process has claimed it. */
  claimOf(attempt: Attempt): SpanContext | undefined {
    return this.#claims.get(attempt);
  }

  /** The spans of those who added units. */
  linksTo(units: readonly { readonly data: DataDictionary }[]): Link[] {
    if (!this.#propagate) return [];
    return units.slice(0, mostLinks).flatMap(({ data }) => {
      const context = this.contextOf(data);
      const span = context && this.api.trace.getSpanContext(context);
      return span === undefined ? [] : [{ context: span }];
    });
  }

  /** Ends a span with what has come of it. */
  fail(span: Span, error: unknown): void {
    span.recordException(error instanceof Error ? error : String(error));
    span.setStatus({ code: this.api.SpanStatusCode.ERROR, message: error instanceof Error ? error.message : String(error) });
  }

  async #add<T>({ namespace, workSpec = '', workUnit }: Operation, run: () => Promise<T>): Promise<T> {
    const attributes = {
      ...attributesOf('send', namespace, workSpec),
      ...(workUnit !== undefined && { 'messaging.message.id': workUnit }),
    };
    return this.tracer.startActiveSpan(`add ${workSpec}`, { kind: this.api.SpanKind.PRODUCER, attributes }, async (span) => {
      try {
        const result = await run();
        span.setAttribute('messaging.batch.message_count', typeof result === 'number' ? result : 1);
        return result;
      } catch (error) {
        this.fail(span, error);
        throw error;
      } finally {
        span.end();
      }
    });
  }

  /** A worker that waits asks all the time: only claims that something comes of have a span, made afterwards. */
  async #claim<T>({ namespace }: Operation, run: () => Promise<T>): Promise<T> {
    const startTime = performance.now();
    const spanOf = (workSpec: string, links: Link[]): Span => {
      const attributes = attributesOf('receive', namespace, workSpec);
      return this.tracer.startSpan(`claim ${workSpec}`.trimEnd(), { kind: this.api.SpanKind.CLIENT, attributes, startTime, links });
    };
    let result: T;
    try {
      result = await run();
    } catch (error) {
      const span = spanOf('', []);
      this.fail(span, error);
      span.end();
      throw error;
    }
    const attempts = result as readonly Attempt[];
    const [first] = attempts;
    if (first === undefined) return result;
    const span = spanOf(first.workUnit.workSpec.name, this.linksTo(attempts));
    span.setAttribute('messaging.batch.message_count', attempts.length);
    for (const attempt of attempts) this.#claims.set(attempt, span.spanContext());
    span.end();
    return result;
  }
}
