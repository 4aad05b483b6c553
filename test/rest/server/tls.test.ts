import { get } from 'node:https';
import { connect as connectTls } from 'node:tls';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { certificate } from '../../support/certificate.js';
import { serveAgain, serving } from './serving.js';

const { coordinate } = await serving();
const [first, second] = await Promise.all([certificate(), certificate()]);

function statusAt(url: string, ca: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { ca, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).on('error', reject);
  });
}

describe('with a certificate', () => {
  test('speaks TLS, and nothing else', async () => {
    const { url } = await serveAgain(coordinate, { tls: first });
    expect(url).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await statusAt(url, first.cert)).toBe(200);
    await expect(statusAt(url, second.cert)).rejects.toThrow();
    await expect(fetch(url.replace('https:', 'http:'))).rejects.toThrow();
  });

  test('speaks no old version of it', async () => {
    const { url } = await serveAgain(coordinate, { tls: first });
    const socket = connectTls({ port: Number(new URL(url).port), host: '127.0.0.1', ca: first.cert, minVersion: 'TLSv1', maxVersion: 'TLSv1.1' });
    await expect(once(socket, 'secureConnect')).rejects.toThrow();
  });

  test('goes on with another one', async () => {
    const server = await serveAgain(coordinate, { tls: first });
    server.renewTls(second);
    expect(await statusAt(server.url, second.cert)).toBe(200);
    expect(() => server.renewTls({ cert: 'no', key: 'pair' })).toThrow();
    expect(await statusAt(server.url, second.cert)).toBe(200);
  });

  test('does not start with a key that does not belong to it', async () => {
    await expect(serveAgain(coordinate, { tls: { cert: first.cert, key: second.key } })).rejects.toThrow();
  });
});
