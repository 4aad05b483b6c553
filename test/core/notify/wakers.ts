import type { Attempt, PostgresCoordinate, PostgresNamespace, Worker, WorkSpec } from 'pg-coordinate';

/** Where it is done: `spec` is a work spec of the namespace, which is followed by another one. */
export interface Place {
  readonly coordinate: PostgresCoordinate;
  readonly namespace: PostgresNamespace;
  readonly spec: WorkSpec;
  readonly worker: Worker;
}

async function held({ spec, worker }: Place): Promise<Attempt> {
  await spec.addWorkUnit('unit', {});
  const [attempt] = await worker.requestAttempts();
  return attempt!;
}

/** What makes units available, or due: each prepares and then does it. */
export const wakers: Readonly<Record<string, (at: Place) => Promise<() => Promise<unknown>>>> = {
  'adding a unit': async ({ spec }) => () => spec.addWorkUnit('new', {}),
  'adding units': async ({ spec }) => () => spec.addWorkUnits([{ name: 'one', data: {} }, { name: 'two', data: {} }]),
  'adding a delayed unit, which falls due': async ({ spec }) => () => spec.addWorkUnit('later', {}, { notBefore: new Date('2999-01-01') }),
  'output of finish': async (at) => {
    const attempt = await held(at);
    return () => attempt.finish({ output: ['out'] });
  },
  'output of finishAll': async (at) => {
    const attempt = await held(at);
    return () => at.namespace.finishAll([{ attempt, data: { output: ['out'] } }]);
  },
  retry: async (at) => {
    const attempt = await held(at);
    return () => attempt.retry();
  },
  expire: async (at) => {
    const attempt = await held(at);
    return () => attempt.expire();
  },
  clearActiveAttempt: async (at) => {
    const attempt = await held(at);
    return () => attempt.workUnit.clearActiveAttempt();
  },
  'setMeta of a unit, which takes its delay away': async ({ spec }) => {
    const unit = await spec.addWorkUnit('later', {}, { notBefore: new Date('2999-01-01') });
    return () => unit.setMeta({});
  },
  'redefining a work spec, which was paused': async ({ namespace, spec }) => {
    await spec.setMeta({ paused: true });
    return () => namespace.setWorkSpec({ name: 'spec', then: 'next' });
  },
  'setData of a work spec, which was paused': async ({ spec }) => {
    await spec.setMeta({ paused: true });
    return () => spec.setData({ name: 'spec', then: 'next' });
  },
  'a new continuous work spec': async ({ namespace }) => () => namespace.setWorkSpec({ name: 'continuous', continuous: true }),
  'deleting a unit, which was pending': async (at) => {
    await held(at);
    return () => at.spec.deleteWorkUnits();
  },
  'setMeta of a work spec, which was paused': async ({ spec }) => {
    await spec.setMeta({ paused: true });
    return () => spec.setMeta({ paused: false });
  },
  'coordinate.transaction': async ({ coordinate, spec }) => () =>
    coordinate.transaction(async (client) => {
      await spec.addWorkUnit('new', {}, {}, { client });
    }),
  'a nested transaction': async ({ coordinate, spec }) => () =>
    coordinate.transaction((outer) => outer.nested((client) => spec.addWorkUnits([{ name: 'new', data: {} }], { client }))),
};
