import type { Namespace, WorkSpec } from 'pg-coordinate';
import { beforeEach, expect, test } from 'vitest';
import { expectConsistent } from '../../concurrency/consistency.js';
import { inReadyRanges } from './in-ranges.js';

const { bucket, claimNames, current, database, nameOf } = await inReadyRanges();

let namespace: Namespace;
let spec: WorkSpec;
beforeEach(() => void ({ namespace, spec } = current()));

const stepper = await database.client();

/** Takes the generations a step further, whether that is due or not. */
async function rotate(): Promise<void> {
  await stepper.query(`begin; lock table ${bucket}.claim_gate in share update exclusive mode`);
  await stepper.query(`select from ${bucket}.rotate_ready(1, null, null, null, null)`);
  await stepper.query('commit');
}

/** The same numbers below 1 for the same seed. */
function numbersOf(seed: number): () => number {
  let state = seed * 7_919 + 1;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

/** What there is to claim: the priority of each name. */
class Model {
  readonly #waiting = new Map<string, number>();

  set(name: string, priority: number): void {
    this.#waiting.set(name, priority);
  }

  delete(name: string): void {
    this.#waiting.delete(name);
  }

  get names(): string[] {
    return [...this.#waiting.keys()];
  }

  claim(count: number): string[] {
    const byOrder = ([a, ofA]: [string, number], [b, ofB]: [string, number]): number => ofB - ofA || (a < b ? -1 : 1);
    const first = [...this.#waiting].sort(byOrder).slice(0, count).map(([name]) => name);
    for (const name of first) this.#waiting.delete(name);
    return first;
  }
}

test.each(Array.from({ length: 12 }, (_, seed) => [seed]))(
  'whatever is added, changed and deleted, claims come in the order of priorities and names (seed %i)',
  { timeout: 60_000 },
  async (seed) => {
    const random = numbersOf(seed);
    const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
    const model = new Model();
    const known = new Set<string>();
    const some = (): string[] => {
      const names = model.names.sort();
      const from = Math.floor(random() * names.length);
      return random() < 0.5 ? names.slice(from, from + 1 + Math.floor(random() * 300)) : names.filter(() => random() < 0.1);
    };
    for (let step = 0; step < 30; step++) {
      const choice = random();
      if (choice < 0.4) {
        const priority = pick([0, 0, 0, 1]);
        const [from, stride] = [Math.floor(random() * 3_000), pick([1, 1, 1, 2, 7])];
        const names = Array.from({ length: pick([1, 20, 60, 200, 450]) }, (_, index) => nameOf('u', from + index * stride)).filter((name) => !known.has(name));
        if (names.length === 0) continue;
        await spec.addWorkUnits(names.map((name) => ({ name, data: {}, meta: { priority } })));
        for (const name of names) {
          known.add(name);
          model.set(name, priority);
        }
      } else if (choice < 0.5) {
        const [names, priority] = [some(), pick([0, 1, 2])];
        await spec.setWorkUnitPriorities({ names }, priority);
        for (const name of names) model.set(name, priority);
      } else if (choice < 0.6) {
        const names = some();
        expect(await spec.deleteWorkUnits({ names })).toBe(names.length);
        for (const name of names) model.delete(name);
      } else if (choice < 0.7) await rotate();
      else {
        const count = pick([1, 10, 40, 64, 150, 400, 1_200]);
        expect(await claimNames(count), `step ${step}`).toEqual(model.claim(count));
      }
    }
    await expectConsistent(database);
    expect(await claimNames(10_000)).toEqual(model.claim(10_000));
    expect(await (await namespace.workSpec('spec')).countWorkUnitStatus()).not.toHaveProperty('available');
  },
);
