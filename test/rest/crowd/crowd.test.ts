import { randomUUID } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { expectConsistent } from '../../concurrency/consistency.js';
import { until } from '../../database/until.js';
import { testDatabase } from '../../support/database.js';
import { compiledCli } from '../../support/programs.js';
import { serveProcess, type ServeProcess } from '../../support/serve-process.js';
import { steadyPort } from '../../support/steady-port.js';
import { judge } from './judge.js';
import { produce } from './produce.js';
import { startWaitingWorkers } from './waiting-workers.js';

/*
 * A thousand workers wait at two servers, and ten producers add units one by one. What would show: units that two are given, or nobody; servers
 * that run out of connections, or that let all who wait run for one unit.
 */

const database = await testDatabase();
const coordinate = await database.connect();
const servers: ServeProcess[] = [await start(await steadyPort()), await start(await steadyPort())];
afterAll(() => Promise.all(servers.map((server) => server.stop())));

/** A slow machine needs minutes for all of it. */
const patienceMs = 200_000;

function start(restPort: number): Promise<ServeProcess> {
  return serveProcess(database, { restPort, program: compiledCli(), flags: ['--requests-per-second', '0'] });
}

/** As a crash would: at once, and again on the same port. */
async function crash(index: number): Promise<void> {
  const { url } = servers[index]!;
  await servers[index]!.kill();
  servers[index] = await start(Number(new URL(url).port));
}

describe('a thousand workers that wait, ten producers, two servers', () => {
  test.each([
    // A lease that a slow machine does not outlast; and one that is over soon, for what a killed server has taken with it.
    ['that run', async () => undefined, { perSecond: 0, lifetimeMs: 600_000 }],
    ['that are killed and started again', crashBoth, { perSecond: 200, lifetimeMs: 2_000 }],
  ])('%s: no unit is held twice, none is lost, and nobody meets an error', async (_, meanwhile, { perSecond, lifetimeMs }) => {
    const place = { namespace: randomUUID(), workSpec: 'crowded' };
    const spec = await (await coordinate.namespace(place.namespace)).setWorkSpec({ name: place.workSpec });
    const crowds = await Promise.all(
      servers.map(({ url }, index) => startWaitingWorkers({ ...place, url, count: 500, prefix: `crowd-${index}`, lifetimeMs })),
    );
    const finished = async (): Promise<number> => {
      // The servers need the processor more than whoever watches them.
      await wait(20);
      return (await spec.countWorkUnitStatus()).finished ?? 0;
    };
    const producing = produce({ ...place, urls: servers.map(({ url }) => url), producers: 10, units: 1_000, perSecond });
    await meanwhile(finished);
    const produced = await producing;
    await until('all are finished', async () => (await finished()) === produced.units.length, patienceMs);
    const results = await Promise.all(crowds.map((crowd) => crowd.stop()));

    expect(await judge(database, place.workSpec, produced.units, results)).toEqual({ lost: [], heldTwice: [], finishedTwice: [], givenTwice: [], errors: [] });
    if (meanwhile !== crashBoth) {
      expect(results.flatMap(({ handed }) => handed)).toHaveLength(produced.units.length);
      expect(produced.unanswered + results.reduce((sum, { unanswered }) => sum + unanswered, 0)).toBe(0);
    }
    await (await coordinate.namespace(place.namespace)).destroy();
  });

  afterAll(() => expectConsistent(database));
});

/** One after the other, in the midst of it. */
async function crashBoth(finished: () => Promise<number>): Promise<void> {
  await until('work is going on', async () => (await finished()) > 50, patienceMs);
  await crash(0);
  await until('work goes on', async () => (await finished()) > 300, patienceMs);
  await crash(1);
}
