import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashToken, isToken, makeToken, TokenFile, writeTokenEntry, type Role } from 'pg-coordinate/access';
import { ManualClock } from 'pg-coordinate/testing';
import { afterAll, describe, expect, test } from 'vitest';

const directory = await mkdtemp(join(tmpdir(), 'pg-coordinate-tokens-'));
afterAll(() => rm(directory, { recursive: true }));
const path = join(directory, 'tokens.yaml');
const clock = new ManualClock(new Date('2026-11-20T00:00:00Z'));

function line(name: string, token: string, roles: Record<string, Role[]>, expires: Date | null = null): string {
  return writeTokenEntry({ name, hash: hashToken(token), roles: new Map(Object.entries(roles)), expires });
}

async function load(text: string): Promise<TokenFile> {
  await writeFile(path, text);
  return TokenFile.load(path, { clock });
}

describe('a token', () => {
  test('is like no other, and is known by its form', () => {
    const [one, other] = [makeToken(), makeToken()];
    expect(one).not.toBe(other);
    expect([one, other].map(isToken)).toEqual([true, true]);
    expect(['', 'secret', `${one}x`, one.slice(1), one.toUpperCase()].map(isToken)).toEqual([false, false, false, false, false]);
  });
});

describe('a token file', () => {
  test('knows whose a token is and what it allows, and nothing of other tokens', async () => {
    const [mine, theirs] = [makeToken(), makeToken()];
    const tokens = await load(`${line('mine', mine, { a: ['produce'], b: ['read', 'work'] })}\n# a comment\n${line('theirs', theirs, { '*': ['admin'] })}\n`);
    expect(tokens.size).toBe(2);
    const access = tokens.authenticate(mine);
    expect(access.name).toBe('mine');
    const may = (role: Role): string[] => ['a', 'b', 'c', '', '*'].filter((namespace) => access.may(role, namespace));
    expect([may('read'), may('produce'), may('work'), may('admin')]).toEqual([['a', 'b'], ['a'], ['b'], []]);
    expect([access.may('read'), access.maySomewhere('work'), access.maySomewhere('admin')]).toEqual([false, true, false]);
    expect(tokens.authenticate(theirs).may('admin', 'whatever')).toBe(true);
    for (const wrong of [makeToken(), '', 'mine', hashToken(mine).toString('hex')]) {
      expect(() => tokens.authenticate(wrong)).toThrow(expect.objectContaining({ code: 'NotAuthenticated' }));
    }
  });

  test('has no token in it, nor anything that one can be found from', async () => {
    const token = makeToken();
    expect(line('x', token, { '*': ['read'] })).not.toContain(token.slice(4, 20));
  });

  test('lets tokens expire to the millisecond', async () => {
    const token = makeToken();
    const tokens = await load(line('brief', token, { '*': ['read'] }, new Date('2026-11-20T00:00:01Z')));
    clock.advance(999);
    expect(tokens.authenticate(token).name).toBe('brief');
    clock.advance(1);
    expect(() => tokens.authenticate(token)).toThrow('This server asks for a token: the token has expired');
    expect(() => tokens.accessOf('brief')).toThrow('the token has expired');
  });

  test('is read again on demand, and stays as it was when that cannot be', async () => {
    const [old, fresh] = [makeToken(), makeToken()];
    const tokens = await load(line('old', old, { '*': ['read'] }));
    await writeFile(path, line('fresh', fresh, { '*': ['read'] }));
    await tokens.reload();
    expect(tokens.authenticate(fresh).name).toBe('fresh');
    expect(() => tokens.authenticate(old)).toThrow();
    await writeFile(path, '- {name: oops}');
    await expect(tokens.reload()).rejects.toMatchObject({ code: 'BadTokenFile' });
    await rm(path);
    await expect(tokens.reload()).rejects.toMatchObject({ code: 'BadTokenFile' });
    expect(tokens.authenticate(fresh).name).toBe('fresh');
  });

  const sha256 = hashToken(makeToken()).toString('hex');
  test.each([
    ['', 'must be a list'],
    ['tokens: []', 'must be a list'],
    ['- x', '[0]: must be an object, not a string'],
    ['- {name: a, sha265: "00"}', '[0].sha265: is not an option; did you mean "sha256"?'],
    [`- {name: a, sha256: "00", roles: {"*": [read]}, expires: never}`, '[0].sha256: must be 64 hexadecimal digits'],
    [`- {name: "", sha256: "${sha256}", roles: {"*": [read]}, expires: never}`, '[0].name: must not be empty'],
    [`- {name: a, sha256: "${sha256}", roles: {"*": [root]}, expires: never}`, '[0].roles: must be such as'],
    [`- {name: a, sha256: "${sha256}", roles: {}, expires: never}`, '[0].roles: must be such as'],
    [`- {name: a, sha256: "${sha256}", roles: {"*": [read]}}`, '[0].expires: must be a time'],
    [`- {name: a, sha256: "${sha256}", roles: {"*": [read]}, expires: soon}`, '[0].expires: must be a time'],
    [`- &x {name: a, sha256: "${sha256}", roles: {"*": [read]}, expires: never}\n- *x`, 'Alias resolution is disabled'],
    [`- {name: a, sha256: "${sha256}", roles: {"*": [read]}, expires: never}\n`.repeat(2), 'has two tokens of the name "a"'],
    ['- {', 'cannot be used'],
  ])('is refused when it says %j', async (text, problem) => {
    await expect(load(text)).rejects.toThrow(problem);
  });
});
