import type { Namespace } from 'pg-coordinate';
import { expect, test } from 'vitest';
import { KnownObjects } from '../../../src/rest/server/known-objects.js';

test('what was found is not looked for again; but names are not kept without limit, however few they are', async () => {
  const known = new KnownObjects();
  const sought: string[] = [];
  const find = (name: string): Promise<Namespace> =>
    known.namespace(name, async () => {
      sought.push(name.slice(0, 1));
      return {} as Namespace;
    });
  await find('a');
  await find('a');
  expect(sought).toEqual(['a']);
  for (const letter of 'bcdefghijkl') await find(letter.repeat(1_000_000));
  await find('a');
  expect(sought.filter((letter) => letter === 'a')).toHaveLength(2);
});
