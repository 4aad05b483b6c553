/* A client that the test freezes or kills. Run by frozen-clients.test.ts. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { connectTo, type NamespacePlace } from './place.js';
import { serveTasks, tell } from './serve-tasks.js';

const tasks = {
  /** Claims once; resolves to the names of the units. */
  async claim({ workSpec, units, ...place }: NamespacePlace & { workSpec: string; units: number }): Promise<number> {
    await using coordinate = await connectTo(place);
    const worker = await (await coordinate.namespace(place.namespace)).worker('frozen');
    const attempts = await worker.requestAttempts({ workSpecs: [workSpec], numberOfWorkUnits: units });
    return attempts.length;
  },

  async destroy({ workSpec, ...place }: NamespacePlace & { workSpec: string }): Promise<void> {
    await using coordinate = await connectTo(place);
    await (await coordinate.namespace(place.namespace)).destroyWorkSpec(workSpec);
  },

  /** Everything that passes through the gate, on several connections, until the process is killed. */
  async everything(place: NamespacePlace): Promise<void> {
    await using coordinate = await connectTo(place, { pool: { max: 8 } });
    const namespace = await coordinate.namespace(place.namespace);
    await namespace.setWorkSpec({ name: 'output' });
    const always = async (index: number, act: (spec: string, round: number) => Promise<unknown>): Promise<never> => {
      const spec = `of the frozen ${index}`;
      await namespace.setWorkSpec({ name: spec, then: 'output' });
      for (let round = 0; ; round++) {
        await act(spec, round);
        tell(spec);
        await nextTurn();
      }
    };
    const claimFrom = async (workSpec: string) => (await namespace.worker(workSpec)).requestAttempts({ workSpecs: [workSpec] });
    await Promise.all([
      always(0, claimFrom),
      always(1, async (spec, round) => {
        await (await namespace.workSpec(spec)).addWorkUnit(`unit ${round}`, {});
        for (const attempt of await claimFrom(spec)) await attempt.finish({ output: [`of ${round}`] });
      }),
      always(2, async (spec) => {
        await (await namespace.setWorkSpec({ name: `${spec} for a moment` })).addWorkUnit('unit', {});
        await namespace.destroyWorkSpec(`${spec} for a moment`);
      }),
      always(3, async (spec) => {
        await namespace.setWorkSpec({ name: spec, continuous: true });
        for (const attempt of await claimFrom(spec)) await attempt.finish();
      }),
    ]);
  },
};

export type FrozenClientsTasks = typeof tasks;

serveTasks(tasks);
