import assert from 'node:assert/strict';
import { raises, raisesInvalid, raisesOneOf } from './assertions.js';
import { cases } from './conformance-case.js';
import { assertSameData } from './same-data.js';
import { claimNames, namesOf, specWith } from './set-up.js';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

export const workUnitNameCases = cases('Objects', {
  'a name as text stands for its UTF-8 bytes': async ({ namespace }) => {
    const spec = await specWith(namespace, ['é😀']);
    const unit = await spec.workUnit(new TextEncoder().encode('é😀'));
    assert.equal(unit.name, 'é😀');
    assert.equal(hexOf(unit.key), 'c3a9f09f9880');
    await spec.addWorkUnit(unit.key, { again: true });
    assert.equal((await spec.workUnits()).length, 1);
  },

  'a name may be any bytes': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const every = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const added = await spec.addWorkUnit(every, { x: 1 });
    assert.equal(hexOf(added.key), hexOf(every));
    assert.equal(hexOf((await spec.workUnit(every)).key), hexOf(every));
    assert.equal(hexOf((await spec.workUnits({ names: [every] }))[0]?.key ?? new Uint8Array()), hexOf(every));
    const [attempt] = await (await namespace.worker('worker')).requestAttempts();
    assert.equal(hexOf(attempt?.workUnit.key ?? new Uint8Array()), hexOf(every));
  },

  'bytes of a name that are not UTF-8 show as U+FFFD': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const unit = await spec.addWorkUnit(new Uint8Array([97, 0xff, 98]), {});
    assert.equal(unit.name, 'a\ufffdb');
    assert.equal(hexOf(unit.key), '61ff62');
    assert.equal((await spec.workUnits())[0]?.name, 'a\ufffdb');
    await raises('NoSuchWorkUnit', () => spec.workUnit('a\ufffdb'));
  },

  'a name is a view of bytes, not of the buffer behind them': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const buffer = new Uint8Array([1, 2, 3, 4, 5]);
    const unit = await spec.addWorkUnit(buffer.subarray(1, 3), {});
    buffer.fill(9);
    assert.equal(hexOf(unit.key), '0203');
    assert.equal(hexOf((await spec.workUnits())[0]?.key ?? buffer), '0203');
  },

  'names are told apart byte by byte': async ({ namespace }) => {
    const names = ['a', 'A', ' a', 'a ', 'a\0', 'a\0b', '\0', '\u00e9', 'e\u0301', '%', '_', '\\x61', '-', '..', '__proto__'];
    const spec = await specWith(namespace, []);
    assert.equal(await spec.addWorkUnits(names.map((name) => ({ name, data: { name } }))), names.length);
    for (const name of names) {
      const unit = await spec.workUnit(name);
      assert.equal(unit.name, name);
      assertSameData(await unit.data(), { name });
    }
  },

  'names are ordered byte by byte': async ({ namespace }) => {
    // UTF-16 code units would put the emoji before the fullwidth tilde; a locale would put a before B and \0 nowhere.
    const bytes = [[0], [0, 0], [1], [0x7f], [0x80], [0xff], [0xff, 0], [0xff, 0xff]].map((name) => Uint8Array.from(name));
    const texts = ['B', 'Ba', 'a', 'a b', 'é', '\uff5e', '😀'].map((name) => new TextEncoder().encode(name));
    const names = [...bytes, ...texts];
    const ordered = names.map(hexOf).sort();
    const spec = await specWith(namespace, []);
    await spec.addWorkUnits(names.toReversed().map((name) => ({ name, data: {} })));
    assert.deepEqual((await spec.workUnits()).map(({ key }) => hexOf(key)), ordered);
    const attempts = await (await namespace.worker('worker')).requestAttempts({ numberOfWorkUnits: names.length });
    assert.deepEqual(attempts.map(({ workUnit }) => hexOf(workUnit.key)), ordered);
  },

  'a name has up to 1,000 bytes': async ({ namespace }) => {
    const spec = await specWith(namespace, []);
    const longest = 'x'.repeat(1000);
    await spec.addWorkUnit(longest, {});
    await spec.addWorkUnit(new Uint8Array(1000).fill(0xff), {});
    await spec.addWorkUnit(`${'€'.repeat(333)}x`, {});
    assert.equal((await spec.workUnit(longest)).name, longest);
    assert.equal((await claimNames(await namespace.worker('worker'), { numberOfWorkUnits: 9 })).length, 3);
  },

  'a name of more than 1,000 bytes is refused': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a']);
    // 334 characters, but 1,002 bytes.
    for (const name of ['x'.repeat(1001), '€'.repeat(334), new Uint8Array(1001)]) {
      await raisesInvalid('name', () => spec.addWorkUnit(name, {}));
      await raisesInvalid('name', () => spec.addWorkUnits([{ name, data: {} }]));
      // To look for a name that no unit can have is a mistake, or a search in vain: the model leaves it open.
      await raisesOneOf(['InvalidArgument', 'NoSuchWorkUnit'], () => spec.workUnit(name));
    }
    assert.deepEqual(namesOf(await spec.workUnits()), ['a']);
  },

  'the empty name is refused': async ({ namespace }) => {
    const spec = await specWith(namespace, ['a']);
    await raisesInvalid('name', () => spec.addWorkUnit('', {}));
    await raisesInvalid('name', () => spec.addWorkUnit(new Uint8Array(), {}));
    await raisesOneOf(['InvalidArgument', 'NoSuchWorkUnit'], () => spec.workUnit(''));
    assert.deepEqual(namesOf(await spec.workUnits()), ['a']);
  },
});
