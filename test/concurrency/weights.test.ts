import { describe, expect, test } from 'vitest';
import { chooseWorkSpec, type Candidate } from '../../src/index.js';
import { testDatabase } from '../support/database.js';
import type { ClaimingTasks } from './claiming.process.js';
import { expectConsistent } from './consistency.js';
import { testProcesses } from './processes.js';
import { pseudoRandom } from './pseudo-random.js';

const database = await testDatabase();
const processes = testProcesses<ClaimingTasks>(new URL('claiming.process.ts', import.meta.url));

/** Far apart: with few units running the smallest is due less than one of them. */
const uneven = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10];
/** Closer together: with 640 units running each is due at least 36 of them. */
const even = [6, 7, 8, 9, 10, 11, 12, 13, 14, 15];

/*
 * What the formula gives. With P units pending and one more to come, score = weight × (P + 1) − total weight × own pending: in units of
 * the total weight that is the part of P + 1 places that is the spec's by its weight, less the places it has. As long as no
 * score is negative the scores add up to one total weight, so a spec is chosen with probability (P + 1) × share − own, and with
 * equal holding times (own = P × rate of claims) the rate of claims is exactly the share.
 *
 * Places are whole, though. A spec whose part of the places is below one is over it as soon as it has a unit, its negative score is
 * dropped, and what it is given while it has none is more than it loses while it has one. With 16 places in all, a spec of 1/55
 * of the weight is due 0.3 places and gets more than twice its share. So "shares follow weights within 5 %" means 5 % of all claims
 * when workers are few, and 5 % of each share when every spec is due several places. (Real workers choose at once, by counts that
 * are a few claims old, which is one more reason why several places must be due.)
 */
describe('the formula', () => {
  test('with 16 units running, gives shares within 5 % of all claims, and the smallest far more than its own', () => {
    const shares = simulate(uneven, 16, 10_000);
    expectDeviations(shares.map((share, index) => share - shareOf(uneven, index)));
    expect(shares[0]! / shareOf(uneven, 0)).toBeGreaterThan(2);
  });

  test('with 160 units running, gives each spec its share within 5 % of it', () => {
    for (const weights of [uneven, even]) {
      expectDeviations(simulate(weights, 160, 10_000).map((share, index) => share / shareOf(weights, index) - 1));
    }
  });
});

/** Would show pending units that are miscounted, missed or counted late: the smaller specs would be served too often or never. */
describe('16 connections in 4 processes are served by weight', () => {
  test('within 5 % of all claims, when each holds one unit', async () => {
    const shares = await served('one each', uneven, { claims: 125, hold: 1, warmUp: 5 });
    expectDeviations(shares.map((share, index) => share - shareOf(uneven, index)));
  });

  test('within 5 % of each share, when each has forty units in hand, over 10,000 claims', async () => {
    const shares = await served('forty each', even, { claims: 625, hold: 40, warmUp: 50 });
    expectDeviations(shares.map((share, index) => share / shareOf(even, index) - 1));
    await expectConsistent(database);
  });
});

function expectDeviations(deviations: readonly number[]): void {
  const percent = deviations.map((deviation) => `${(100 * deviation).toFixed(1)} %`).join(', ');
  expect(Math.max(...deviations.map(Math.abs)), `deviations: ${percent}`).toBeLessThan(0.05);
}

/** The shares of the claims that workers of real processes get. */
async function served(name: string, weights: readonly number[], load: { claims: number; hold: number; warmUp: number }): Promise<number[]> {
  const coordinate = await database.connect();
  const namespace = await coordinate.namespace(name);
  const total = 16 * (load.claims + load.warmUp);
  for (const weight of weights) {
    const spec = await namespace.setWorkSpec({ name: `weight ${weight}`, weight });
    // Always enough: twice its share, and more for the smallest.
    const units = Math.ceil(2 * total * shareOf(weights, weights.indexOf(weight)) + total / 10);
    await spec.addWorkUnits(Array.from({ length: units }, (_, index) => ({ name: `unit ${index}`, data: {} })));
  }
  const workers = await processes.startMany(4);
  const place = { url: database.url, schema: database.schema, namespace: name };
  const answers = await Promise.all(workers.map((worker, seed) => worker.run('work', { ...place, connections: 4, seed, ...load })));
  const specs = answers.flatMap((answer) => answer.specs);
  await Promise.all(workers.map((worker) => worker.kill()));
  return sharesOf(weights.map((weight) => specs.filter((spec) => spec === `weight ${weight}`).length));
}

/** The shares that the scheduler gives by itself, when so many units are always running and the oldest ends whenever another begins. */
function simulate(weights: readonly number[], running: number, claims: number): number[] {
  const pending = weights.map(() => 0);
  const counts = weights.map(() => 0);
  const held: number[] = [];
  const random = pseudoRandom();
  for (let claim = 0; claim < claims + running; claim++) {
    if (held.length === running) pending[held.shift()!]!--;
    const candidates = weights.map((weight, index) => candidateOf(index, weight, pending[index]!));
    const { index } = chooseWorkSpec(candidates, {}, new Date(0), random)!;
    pending[index]!++;
    held.push(index);
    if (claim >= running) counts[index]!++;
  }
  return sharesOf(counts);
}

function candidateOf(index: number, weight: number, pending: number): Candidate & { readonly index: number } {
  const unlimited = { priority: 0, paused: false, continuous: false, nextContinuous: null, maxRunning: 0, minMemoryGb: 0, runtime: '' };
  return { ...unlimited, index, name: `weight ${weight}`, weight, pending, available: true };
}

function shareOf(weights: readonly number[], index: number): number {
  return sharesOf(weights)[index]!;
}

function sharesOf(counts: readonly number[]): number[] {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => count / total);
}
