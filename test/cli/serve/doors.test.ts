import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken, makeToken, writeTokenEntry } from 'pg-coordinate/access';
import { afterAll, expect, test } from 'vitest';
import { readSettings } from '../../../src/cli/serve/read-settings.js';
import { checkDoors, warningsAbout } from '../../../src/cli/serve/start-servers.js';
import { certificate } from '../../support/certificate.js';

const directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-doors-'));
afterAll(() => rm(directory, { recursive: true }));
const file = (name: string): string => join(directory, name);
const { cert, key } = await certificate();
await writeFile(file('cert.pem'), cert);
await writeFile(file('key.pem'), key);
await writeFile(file('tokens.yaml'), writeTokenEntry({ name: 'a', hash: hashToken(makeToken()), roles: new Map([['*', ['read']]]), expires: null }));

const remote = { 'rest-host': '0.0.0.0' };
const remoteRpc = { 'cbor-rpc-host': '::' };
const tokens = { tokens: file('tokens.yaml') };
const tls = { 'tls-cert': file('cert.pem'), 'tls-key': file('key.pem') };
const anybody = ['Anybody who reaches this machine can use the queue.'];
const inTheClear = [expect.stringContaining('Tokens are sent in the clear')];

async function warningsOf(flags: object): Promise<string[]> {
  const { settings } = await readSettings(flags, { HOME: directory }, directory);
  return warningsAbout(settings, await checkDoors(settings));
}

test.each([
  [{}, []],
  [{ ...tokens }, []],
  [{ ...remote, 'allow-remote': true }, anybody],
  [{ ...remoteRpc, 'allow-remote': true }, anybody],
  [{ ...remote, ...tokens }, inTheClear],
  [{ ...remoteRpc, ...tokens }, inTheClear],
  [{ ...remoteRpc, 'cbor-rpc-port': 'off' }, []],
  [{ ...remote, ...remoteRpc, ...tokens, ...tls }, []],
  [{ ...remoteRpc, ...tokens, ...tls, 'cbor-rpc-plain': true }, inTheClear],
  [{ ...remoteRpc, ...tokens, ...tls, 'cbor-rpc-token': 'a', 'allow-remote': true }, []],
])('with %j it warns: %j', async (flags, warnings) => {
  expect(await warningsOf(flags)).toEqual(warnings);
});

test.each([
  [{ ...remote }, '--rest-host 0.0.0.0 lets whoever reaches this machine use the queue; give --tokens, or'],
  [{ ...remote, ...tls }, '--rest-host 0.0.0.0 lets'],
  [{ ...remoteRpc }, '--cbor-rpc-host :: lets'],
  [{ ...remoteRpc, ...tokens, 'cbor-rpc-token': 'a' }, '--cbor-rpc-host :: lets whoever reaches this machine use the queue; if that is meant, add --allow-remote'],
  [{ tokens: file('nowhere.yaml') }, 'cannot be used: ENOENT'],
  [{ 'tls-cert': file('cert.pem') }, '--tls-cert and --tls-key must be given together'],
  [{ ...tls, 'tls-key': file('nowhere.pem') }, 'nowhere.pem cannot be read'],
])('with %j it does not open', async (flags, sentence) => {
  await expect(warningsOf(flags)).rejects.toThrow(sentence);
});
