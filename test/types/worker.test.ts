/* What does not compile. Checked by `npm run typecheck`: each @ts-expect-error must be one. Nothing of it is run. */
import { expect, expectTypeOf, test } from 'vitest';
import type { PostgresCoordinate } from 'pg-coordinate';
import { createWorker, fail, reported, retry, type Handlers, type Job } from 'pg-coordinate/worker';

/** Units without data. */
type Nothing = Record<string, never>;

interface Jobs {
  fetch: Job<{ url: string }, { status: number }>;
  thumbnail: { width: number };
  sweep: Job<Nothing, void>;
}

const common = { coordinate: undefined as unknown as PostgresCoordinate, namespace: 'n' };

/** Never called. */
function neverCalled(): unknown[] {
  return [
    createWorker<Jobs>({ ...common, handlers: { fetch: ({ data }) => ({ status: data.url.length }), thumbnail: () => undefined } }),
    createWorker<Jobs>({ ...common, handlers: { fetch: async () => retry({ delayMs: 5 }), sweep: () => fail() } }),
    createWorker<Jobs>({ ...common, handlers: { fetch: async () => reported(), thumbnail: ({ data }) => ({ half: data.width / 2 }) } }),
    createWorker<Jobs>({ ...common, handlers: { fetch: { run: ({ data }) => ({ status: data.url.length }), maxRunMs: 5 } } }),
    createWorker<Jobs>({ ...common, handlers: { thumbnail: { runBatch: (batch) => batch.map(({ data }) => ({ w: data.width })) } } }),
    createWorker<Jobs>({ ...common, handlers: { thumbnail: { module: './shrink.js', kind: 'thread' } } }),
    // Without types anything goes by any name.
    createWorker({ ...common, handlers: { whatever: ({ data }: { data: { a?: unknown } }) => ({ a: data.a }) } }),

    // @ts-expect-error -- a handler for a work spec that is not known
    createWorker<Jobs>({ ...common, handlers: { fecth: () => undefined } }),
    // @ts-expect-error -- data that the units do not have
    createWorker<Jobs>({ ...common, handlers: { fetch: ({ data }) => ({ status: data.uri }) } }),
    // @ts-expect-error -- data of another type
    createWorker<Jobs>({ ...common, handlers: { thumbnail: ({ data }) => ({ a: data.width.length }) } }),
    // @ts-expect-error -- an answer of another type
    createWorker<Jobs>({ ...common, handlers: { fetch: () => ({ status: 'ok' }) } }),
    // @ts-expect-error -- no answer where there must be one
    createWorker<Jobs>({ ...common, handlers: { fetch: () => undefined } }),
    // @ts-expect-error -- an answer where there must be none
    createWorker<Jobs>({ ...common, handlers: { sweep: () => ({ swept: 1 }) } }),
    // @ts-expect-error -- a number is no answer
    createWorker<Jobs>({ ...common, handlers: { thumbnail: () => 5 } }),
    // @ts-expect-error -- a batch answers with a list
    createWorker<Jobs>({ ...common, handlers: { thumbnail: { runBatch: () => ({ a: 1 }) } } }),
    // @ts-expect-error -- an option that is misspelt
    createWorker<Jobs>({ ...common, concurency: 5, handlers: {} }),
  ];
}

test('the types of a work spec reach its handler', () => {
  type Fetch = Extract<NonNullable<Handlers<Jobs>['fetch']>, (...args: never[]) => unknown>;
  expectTypeOf<Parameters<Fetch>[0]['data']>().toEqualTypeOf<{ url: string }>();
  expectTypeOf<Awaited<ReturnType<Parameters<Fetch>[0]['attempt']['read']>>['data']>().toEqualTypeOf<{ url: string }>();
  expect(neverCalled).toBeTypeOf('function');
});
