import { createServer, type AddressInfo } from 'node:net';
import type pg from 'pg';
import { ClosedError } from 'pg-coordinate';
import { afterAll, describe, expect, test } from 'vitest';
import { Listener, clientConfigOf, type ListenerOptions } from '../../src/database/index.js';
import { testDatabase } from '../support/database.js';
import { caught } from './caught.js';
import { freezableProxy } from './freezable-proxy.js';
import { until } from './until.js';

const database = await testDatabase();
const application = `pg-coordinate test ${database.schema}`;
const warnings: string[] = [];
const listeners: Listener[] = [];
const lingerMs = 50;

function listenerOf(config: pg.ClientConfig, options: Partial<ListenerOptions> = {}): Listener {
  const logger = { warn: (text: string) => void warnings.push(text), error: () => undefined };
  const listener = new Listener({ config, logger, random: Math.random, lingerMs, ...options });
  listeners.push(listener);
  return listener;
}

const config = { connectionString: database.url, application_name: `${application} listener` };
afterAll(() => Promise.all(listeners.map((listener) => listener.close())));

async function send(channel: string, payload: string): Promise<void> {
  await database.query('select pg_notify($1, $2)', [channel, payload]);
}

async function connections(): Promise<number> {
  return (await database.query('select from pg_stat_activity where application_name = $1', [config.application_name])).length;
}

async function terminate(): Promise<void> {
  await database.query('select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = $1', [
    config.application_name,
  ]);
}

describe('a listener', () => {
  test('connects at the first subscription, by one connection for all, and ends it after the last', async () => {
    const listener = listenerOf(config);
    expect(await connections()).toBe(0);
    expect(listener.connected).toBe(false);
    const heard: string[] = [];
    const stops = await Promise.all(
      ['one', 'two', 'Upper "quoted"'].map((channel) => listener.subscribe(channel, (payload) => heard.push(`${channel}: ${payload}`))),
    );
    expect(listener.connected).toBe(true);
    expect(await connections()).toBe(1);
    for (const channel of ['one', 'two', 'Upper "quoted"']) await send(channel, 'x');
    await until('all are heard', () => heard.length === 3);
    expect(heard).toEqual(['one: x', 'two: x', 'Upper "quoted": x']);
    for (const stop of stops) stop();
    await until('the connection has ended', async () => (await connections()) === 0);
    expect(listener.connected).toBe(false);
    await listener.subscribe('one', (payload) => heard.push(payload));
    await send('one', 'again');
    await until('it is heard again', () => heard.includes('again'));
    await listener.close();
    await until('closing has ended the connection', async () => (await connections()) === 0);
  });

  test('tells each of several subscribers of a channel, until it unsubscribes', async () => {
    const listener = listenerOf(config);
    const heard: string[] = [];
    const stop = await listener.subscribe('shared', (payload) => heard.push(`first ${payload}`));
    await listener.subscribe('shared', (payload) => heard.push(`second ${payload}`));
    await send('shared', '1');
    await until('both have heard', () => heard.length === 2);
    stop();
    stop();
    await send('shared', '2');
    await until('the second has heard', () => heard.length === 3);
    expect(heard).toEqual(['first 1', 'second 1', 'second 2']);
    await listener.close();
  });

  test('does not listen any more to what nobody subscribes to', async () => {
    const listener = listenerOf(config);
    const heard: string[] = [];
    const stop = await listener.subscribe('gone', (payload) => heard.push(payload));
    await listener.subscribe('kept', (payload) => heard.push(payload));
    stop();
    await send('gone', 'lost');
    await send('kept', 'told');
    await until('what is kept is heard', () => heard.length > 0);
    expect(heard).toEqual(['told']);
    await listener.close();
  });

  test('comes back by itself when its connection breaks, and says so to subscribers, and once to the logger', async () => {
    const listener = listenerOf(config);
    const states: boolean[] = [];
    const heard: string[] = [];
    await listener.subscribe('broken', (payload) => heard.push(payload), (connected) => states.push(connected));
    states.length = 0;
    for (let round = 1; round <= 2; round++) {
      warnings.length = 0;
      await terminate();
      await until('it is back', () => states.length === 2 * round);
      expect(warnings).toHaveLength(1);
      expect(warnings[0]).toMatch(/connection that listens/);
      await send('broken', `round ${round}`);
      await until('it hears again', () => heard.includes(`round ${round}`));
    }
    expect(states).toEqual([false, true, false, true]);
    expect(listener.connected).toBe(true);
    await listener.close();
  });

  test('that cannot connect lets nobody wait for it, and warns once', async () => {
    const refused = createServer((socket) => {
      socket.destroy();
    });
    await new Promise<void>((resolve) => refused.listen(0, '127.0.0.1', resolve));
    const { port } = refused.address() as AddressInfo;
    let tries = 0;
    refused.on('connection', () => {
      tries++;
    });
    warnings.length = 0;
    const listener = listenerOf({ host: '127.0.0.1', port, user: 'nobody', database: 'none' });
    await listener.subscribe('any', () => undefined);
    await listener.subscribe('other', () => undefined);
    expect(listener.connected).toBe(false);
    await until('it has tried again', () => tries >= 3);
    expect(warnings).toHaveLength(1);
    await listener.close();
    await new Promise((resolve) => refused.close(resolve));
  });

  test('can be closed while it connects to a server that does not answer', async () => {
    const silent = createServer();
    const connected = new Promise<void>((resolve) => silent.once('connection', () => resolve()));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const listener = listenerOf({ host: '127.0.0.1', port, user: 'nobody', database: 'none' });
    const subscribing = listener.subscribe('any', () => undefined);
    await connected;
    await Promise.all([listener.close(), listener.close()]);
    await subscribing;
    await new Promise((resolve) => silent.close(resolve));
  });

  test('whose LISTEN is never answered lets nobody wait for it for long, and tries again', async () => {
    const proxy = await freezableProxy(database.url, (sent) => sent.includes('listen "'));
    const through = { ...config, connectionString: proxy.url };
    const listener = listenerOf(through, { answerMs: 300, subscribeMs: 100 });
    await listener.subscribe('any', () => undefined);
    expect(listener.connected).toBe(false);
    await until('it has tried again', () => proxy.connections() >= 2);
    await listener.close();
  });

  test('can be closed while a LISTEN is not answered', async () => {
    const proxy = await freezableProxy(database.url, (sent) => sent.includes('listen "'));
    const listener = listenerOf({ ...config, connectionString: proxy.url }, { answerMs: 600_000, subscribeMs: 1 });
    await listener.subscribe('any', () => undefined);
    await until('it has asked', () => proxy.frozen() > 0);
    await listener.close();
  });

  test('tells those who joined before their channel was listened to that it is now', async () => {
    const proxy = await freezableProxy(database.url, (sent) => sent.includes('listen "second"'));
    const listener = listenerOf({ ...config, connectionString: proxy.url }, { subscribeMs: 100 });
    await listener.subscribe('first', () => undefined);
    await until('it is connected', () => listener.connected);
    const states: boolean[] = [];
    await listener.subscribe('second', () => undefined, (connected) => states.push(connected));
    expect(states).toEqual([]);
    proxy.thaw();
    await until('it has been told', () => states.length > 0);
    expect(states).toEqual([true]);
    await listener.close();
  });

  test('notices that its connection has died without a word', async () => {
    const proxy = await freezableProxy(database.url);
    const listener = listenerOf({ ...config, connectionString: proxy.url }, { answerMs: 500, checkEveryMs: 50 });
    const states: boolean[] = [];
    await listener.subscribe('any', () => undefined, (connected) => states.push(connected));
    await until('it is connected', () => listener.connected);
    states.length = 0;
    proxy.freeze();
    await until('it is back', () => states.length >= 2);
    expect(states.slice(0, 2)).toEqual([false, true]);
    await listener.close();
  });

  test('that is closed refuses to listen', async () => {
    const listener = listenerOf(config);
    await listener.close();
    expect(await caught(listener.subscribe('any', () => undefined))).toBeInstanceOf(ClosedError);
  });
});

test('how a pool connects is known without what is the pool’s alone, and with the password hidden', () => {
  const given = clientConfigOf({ host: 'here', password: 'secret', max: 3, idleTimeoutMillis: 1, application_name: 'mine' });
  expect(given).toEqual({ host: 'here', application_name: 'mine' });
  expect(Object.keys(given)).not.toContain('password');
  expect(given.password).toBe('secret');
});
