import { serveRest, type RestServer, type RestServerOptions } from 'pg-coordinate/rest';
import { ManualClock } from 'pg-coordinate/testing';
import type { PostgresCoordinate } from 'pg-coordinate';
import { afterAll, onTestFinished } from 'vitest';
import { testDatabase, type TestDatabase } from '../../support/database.js';

/** An answer as it came: nothing here knows the protocol. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The text read as JSON. */
  readonly json: any;
}

export interface Asking {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server on a database of the file's own, and a client that is told every URL. */
export interface Serving {
  readonly database: TestDatabase;
  readonly coordinate: PostgresCoordinate;
  readonly clock: ManualClock;
  readonly server: RestServer;
  ask(method: string, path: string, asking?: Asking): Promise<Answered>;
}

export const v1 = 'application/vnd.diffeo.coordinate.v1+json';
export const now = new Date('2026-11-20T08:55:24.105Z');

/** Call it once, at the top of a test file. */
export async function serving(options: Partial<RestServerOptions> = {}): Promise<Serving> {
  const database = await testDatabase();
  const clock = new ManualClock(now);
  const coordinate = await database.connect({ clock, random: () => 0.5 });
  const server = await serveRest({ coordinate, port: 0, ...options });
  afterAll(() => server.stop());
  return { database, coordinate, clock, server, ask: askingOf(server.url) };
}

/** Another server on the same queue, stopped when the test has ended. */
export async function serveAgain(coordinate: PostgresCoordinate, options: Partial<RestServerOptions> = {}): Promise<RestServer> {
  const server = await serveRest({ coordinate, port: 0, ...options });
  onTestFinished(() => server.stop());
  return server;
}

export function askingOf(url: string): Serving['ask'] {
  return async (method, path, { body, headers = {} } = {}) => {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    const sent = body === undefined || isRaw ? body : JSON.stringify(body);
    const response = await fetch(new URL(path, url), {
      method,
      headers: { ...(sent !== undefined && { 'content-type': v1 }), ...headers },
      ...(sent !== undefined && { body: sent as string }),
    });
    const isEndless = response.headers.get('content-type') === 'text/event-stream';
    const text = isEndless ? '' : await response.text();
    if (isEndless) await response.body?.cancel();
    return {
      status: response.status,
      headers: response.headers,
      text,
      get json(): unknown {
        return JSON.parse(text);
      },
    };
  };
}
