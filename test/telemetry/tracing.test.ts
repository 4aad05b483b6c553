import * as api from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { W3CTraceContextPropagator } from '@opentelemetry/core';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor, type ReadableSpan } from '@opentelemetry/sdk-trace-base';
import type { DataDictionary, PostgresCoordinate } from 'pg-coordinate';
import { allOf, Metrics, Tracing } from 'pg-coordinate/telemetry';
import { createWorker, fail, retry, type Handlers } from 'pg-coordinate/worker';
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { askingOf, serveAgain } from '../rest/server/serving.js';
import { until } from '../database/until.js';
import { testDatabase } from '../support/database.js';

const database = await testDatabase();
const exporter = new InMemorySpanExporter();
const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });

function register(): void {
  api.trace.setGlobalTracerProvider(provider);
  api.context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  api.propagation.setGlobalPropagator(new W3CTraceContextPropagator());
}

function unregister(): void {
  api.trace.disable();
  api.context.disable();
  api.propagation.disable();
}

beforeEach(() => {
  unregister();
  register();
  exporter.reset();
});
afterAll(async () => {
  unregister();
  await provider.shutdown();
});

const spanOf = (name: string): ReadableSpan | undefined => exporter.getFinishedSpans().find((span) => span.name === name);
const handleSpans = (): ReadableSpan[] => exporter.getFinishedSpans().filter(({ name }) => name.startsWith('handle '));
const traceOf = (name: string): string | undefined => spanOf(name)?.spanContext().traceId;

const tracing = new Tracing({ api, propagate: true });

/** Has handlers work until a span of them has ended so often. */
async function work(coordinate: PostgresCoordinate, namespace: string, handlers: Handlers<Record<string, DataDictionary>>, spans = 1): Promise<void> {
  const worker = createWorker({ coordinate, namespace, handlers: tracing.handlers(handlers) });
  onTestFinished(() => worker.stop());
  await worker.start();
  await until('the spans have ended', () => handleSpans().length >= spans);
  expect(handleSpans()).toHaveLength(spans);
  await worker.stop();
}

describe('a unit', () => {
  test('is one trace from its producer to its handler, and linked to its claim', async () => {
    const coordinate = await database.connect({ telemetry: tracing });
    const spec = await (await coordinate.namespace('trace')).setWorkSpec({ name: 'resize' });
    await api.trace.getTracer('test').startActiveSpan('request', async (span) => {
      await spec.addWorkUnit('cat.jpg', { width: 120 });
      span.end();
    });
    const given: DataDictionary[] = [];
    const inHandler: (string | undefined)[] = [];
    await work(coordinate, 'trace', {
      resize: async ({ data, signal, log, name }) => {
        given.push(data, { name, aborted: signal.aborted, log: typeof log.info });
        await Promise.resolve();
        inHandler.push(api.trace.getActiveSpan()?.spanContext().spanId);
      },
    });
    const [request, add, claim, handle] = ['request', 'add resize', 'claim resize', 'handle resize'].map((name) => spanOf(name));
    expect(add?.parentSpanContext?.spanId).toBe(request?.spanContext().spanId);
    expect(handle?.parentSpanContext?.spanId).toBe(add?.spanContext().spanId);
    expect(handle?.spanContext().traceId).toBe(request?.spanContext().traceId);
    expect(handle?.links.map(({ context }) => context.spanId)).toEqual([claim?.spanContext().spanId]);
    expect(claim?.links.map(({ context }) => context.spanId)).toEqual([add?.spanContext().spanId]);
    expect([add?.kind, claim?.kind, handle?.kind]).toEqual([api.SpanKind.PRODUCER, api.SpanKind.CLIENT, api.SpanKind.CONSUMER]);
    expect(handle?.attributes).toMatchObject({
      'messaging.system': 'pg-coordinate',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'resize',
      'messaging.message.id': 'cat.jpg',
      'coordinate.namespace': 'trace',
    });
    // The handler is in its span, and sees the data that the producer gave.
    expect(inHandler).toEqual([handle?.spanContext().spanId]);
    expect(given).toEqual([{ width: 120 }, { name: 'cat.jpg', aborted: false, log: 'function' }]);
  });

  test('keeps its context through a retry, and spans say how a handler failed', async () => {
    const coordinate = await database.connect({ telemetry: tracing });
    const spec = await (await coordinate.namespace('errors')).setWorkSpec({ name: 'flaky' });
    await spec.addWorkUnits([{ name: 'a', data: {} }]);
    let times = 0;
    const flaky = {
      retry: { minDelayMs: 0, maxDelayMs: 0 },
      run: () => {
        times++;
        if (times === 1) return retry({ delayMs: 0 });
        if (times === 2) return fail({ error: new Error('for good') });
        return undefined;
      },
    };
    await work(coordinate, 'errors', { flaky: flaky.run }, 2);
    const handled = exporter.getFinishedSpans().filter(({ name }) => name === 'handle flaky');
    expect(handled.map((span) => span.spanContext().traceId)).toEqual([traceOf('add flaky'), traceOf('add flaky')]);
    expect(handled[0]?.attributes['coordinate.answer']).toBe('retry');
    expect(handled[1]?.status).toEqual({ code: api.SpanStatusCode.ERROR, message: 'for good' });
    expect(handled[1]?.events[0]?.name).toBe('exception');
  });

  test('of a batch is linked to', async () => {
    const coordinate = await database.connect({ telemetry: tracing });
    const spec = await (await coordinate.namespace('batch')).setWorkSpec({ name: 'mail' });
    await spec.addWorkUnit('a', { to: 1 });
    await spec.addWorkUnit('b', { to: 2 });
    const seen: DataDictionary[] = [];
    const runBatch = async (batch: readonly { data: DataDictionary }[]) => batch.map(({ data }) => void seen.push(data));
    await work(coordinate, 'batch', { mail: { runBatch, batchSize: 10 } });
    const producers = exporter.getFinishedSpans().filter(({ name }) => name === 'add mail');
    expect(spanOf('handle mail')?.links.map(({ context }) => context.spanId)).toEqual(
      ['claim mail', ...producers.map((span) => span)].map((span) => (typeof span === 'string' ? spanOf(span) : span)?.spanContext().spanId),
    );
    expect(seen).toEqual([{ to: 1 }, { to: 2 }]);
  });
});

describe('what is stored', () => {
  const stored = async (name: string, telemetry: Tracing | undefined): Promise<DataDictionary> => {
    const coordinate = await database.connect(telemetry === undefined ? {} : { telemetry });
    const spec = await (await coordinate.namespace('stored')).setWorkSpec({ name: 'spec' });
    await spec.addWorkUnit(name, { a: 1 });
    return (await spec.workUnit(name)).data();
  };

  test('is the data as they were given, unless one has asked for more', async () => {
    expect(await stored('off', new Tracing({ api }))).toEqual({ a: 1 });
    expect(exporter.getFinishedSpans().map(({ name }) => name)).toContain('add spec');
    expect(await stored('none', undefined)).toEqual({ a: 1 });
    expect(await stored('on', tracing)).toEqual({ a: 1, trace_context: { traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/) } });
  });

  test('is the data as they were given without an SDK, and handlers run', async () => {
    unregister();
    expect(await stored('no sdk', tracing)).toEqual({ a: 1 });
    const coordinate = await database.connect({ telemetry: tracing });
    const spec = await (await coordinate.namespace('no sdk')).setWorkSpec({ name: 'spec' });
    await spec.addWorkUnit('a', {});
    const ran = new Promise<string>((resolve) => {
      const spec = ({ name }: { readonly name: string }): void => resolve(name);
      const worker = createWorker({ coordinate, namespace: 'no sdk', handlers: tracing.handlers({ spec }) });
      onTestFinished(() => worker.stop());
      void worker.start();
    });
    expect(await ran).toBe('a');
    expect(exporter.getFinishedSpans()).toEqual([]);
  });

  test('keeps a context that a producer has set itself, and is not harmed by one that is none', async () => {
    const coordinate = await database.connect({ telemetry: tracing });
    const spec = await (await coordinate.namespace('own')).setWorkSpec({ name: 'own' });
    const traceId = 'a'.repeat(32);
    await spec.addWorkUnit('a', { trace_context: { traceparent: `00-${traceId}-${'b'.repeat(16)}-01` } });
    for (const [name, trace_context] of Object.entries({ b: 5, c: { traceparent: 'nonsense' }, d: null, e: [] })) {
      await spec.addWorkUnit(name, { trace_context });
    }
    await work(coordinate, 'own', { own: () => undefined }, 5);
    const handled = exporter.getFinishedSpans().filter(({ name }) => name === 'handle own');
    expect(handled.map((span) => span.spanContext().traceId === traceId)).toContain(true);
    expect(handled.filter((span) => span.parentSpanContext === undefined)).toHaveLength(4);
  });
});

test('a request that finds nothing has no span; one that fails has', async () => {
  const coordinate = await database.connect({ telemetry: tracing });
  const worker = await (await coordinate.namespace('empty')).worker('w');
  expect(await worker.requestAttempts()).toEqual([]);
  expect(exporter.getFinishedSpans()).toEqual([]);
  await coordinate.close();
  await expect(worker.requestAttempts()).rejects.toThrow();
  expect(spanOf('claim')?.status.code).toBe(api.SpanStatusCode.ERROR);
});

test('a producer that fails has a span that says so', async () => {
  const coordinate = await database.connect({ telemetry: tracing });
  const spec = await (await coordinate.namespace('bad')).setWorkSpec({ name: 'bad' });
  await expect(spec.addWorkUnit('a', 5 as never)).rejects.toThrow(/data/);
  expect(spanOf('add bad')?.status.code).toBe(api.SpanStatusCode.ERROR);
});

test('a producer over HTTP says its context in a header', async () => {
  const coordinate = await database.connect({ telemetry: tracing });
  const spec = await (await coordinate.namespace('http')).setWorkSpec({ name: 'spec' });
  const ask = askingOf((await serveAgain(coordinate, { tracing })).url);
  const traceparent = `00-${'c'.repeat(32)}-${'d'.repeat(16)}-01`;
  await ask('POST', '/namespace/http/work_spec/spec/work_unit', { body: { name: 'a', data: {} }, headers: { traceparent } });
  expect(traceOf('add spec')).toBe('c'.repeat(32));
  expect(await (await spec.workUnit('a')).data()).toMatchObject({ trace_context: { traceparent: expect.stringContaining('c'.repeat(32)) } });
});

test('metrics and traces go together', async () => {
  const metrics = new Metrics();
  const coordinate = await database.connect({ telemetry: allOf(metrics, tracing) });
  metrics.watch(coordinate);
  const namespace = await coordinate.namespace('both');
  const spec = await namespace.setWorkSpec({ name: 'both' });
  await spec.addWorkUnit('a', {});
  const [attempt] = await (await namespace.worker('w')).requestAttempts();
  await attempt?.finish();
  const text = await metrics.read();
  expect(text).toContain('coordinate_attempts_started_total{namespace="both",work_spec="both"} 1');
  expect(text).toContain('coordinate_attempts_ended_total{namespace="both",work_spec="both",status="finished"} 1');
  expect(spanOf('claim both')?.links).toHaveLength(1);
  expect(allOf()).toEqual({});
});

test('options are checked', () => {
  expect(() => new Tracing({ api: {} as never })).toThrow(/options\.api: must be the module '@opentelemetry\/api'/);
  expect(() => new Tracing({ api, propagate: 'yes' as never })).toThrow(/options\.propagate/);
});
