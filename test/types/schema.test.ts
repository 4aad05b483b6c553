import { type } from 'arktype';
import type { Attempt, DataDictionary, Namespace, NewWorkUnit, WorkSpec } from 'pg-coordinate';
import * as v from 'valibot';
import { describe, expectTypeOf, test } from 'vitest';
import { z } from 'zod';

const inZod = z.object({ url: z.string(), depth: z.number().default(0), since: z.string().transform((text) => new Date(text)) });
const inValibot = v.object({ url: v.string(), depth: v.optional(v.number(), 0), since: v.pipe(v.string(), v.transform((text) => new Date(text))) });
const inArktype = type({ url: 'string', depth: 'number = 0', since: type('string').pipe((text) => new Date(text)) });

// An interface would be no dictionary: it has no index signature.
// eslint-disable-next-line @typescript-eslint/consistent-type-definitions
type Output = { url: string; depth: number; since: Date };

/** What follows is compiled, and never run. */
declare const namespace: Namespace;

async function ofZod() {
  return namespace.setWorkSpec({ name: 'spec' }, { schema: inZod });
}
async function ofValibot() {
  return namespace.setWorkSpec({ name: 'spec' }, { schema: inValibot });
}
async function ofArktype() {
  return namespace.workSpec('spec', { schema: inArktype });
}
type DataOf<Spec extends () => Promise<{ workUnit(name: string): Promise<{ data(): Promise<unknown> }> }>> = Awaited<
  ReturnType<Awaited<ReturnType<Awaited<ReturnType<Spec>>['workUnit']>>['data']>
>;

describe('the types of a schema', () => {
  test('are those of the data that are read', () => {
    expectTypeOf<DataOf<typeof ofZod>>().toEqualTypeOf<Output>();
    expectTypeOf<DataOf<typeof ofValibot>>().toEqualTypeOf<Output>();
    expectTypeOf<DataOf<typeof ofArktype>>().toEqualTypeOf<Output>();
  });

  test('are those of the data that are given', () => {
    const compiled = async (): Promise<void> => {
      for (const spec of [await ofZod()]) {
        const given = { url: '/', since: '2020-01-01' };
        const unit = await spec.addWorkUnit('a', given);
        expectTypeOf((await unit.data()).since).toEqualTypeOf<Date>();
        await spec.addWorkUnits([{ name: 'a', data: { ...given, depth: 1 } }]);
        // @ts-expect-error a wrong type
        await spec.addWorkUnit('a', { url: 1, since: '' });
        // @ts-expect-error a member is missing
        await spec.addWorkUnit('a', { url: '/' });
        // @ts-expect-error what the schema makes is not what it takes
        await spec.addWorkUnit('a', { url: '/', since: new Date() });
        // @ts-expect-error in an array
        await spec.addWorkUnits([{ name: 'a', data: { uri: '/' } }]);
        // @ts-expect-error in a stream
        await spec.addWorkUnits(new Set([{ name: 'a', data: { url: 1 } }]));
      }
      const valibot = await ofValibot();
      await valibot.addWorkUnit('a', { url: '/', since: '' });
      // @ts-expect-error a wrong type
      await valibot.addWorkUnit('a', { url: '/', since: 5 });
      const arktype = await ofArktype();
      await arktype.addWorkUnit('a', { url: '/', since: '' });
      // @ts-expect-error a wrong type
      await arktype.addWorkUnit('a', { url: '/', since: '', depth: 'x' });
      // @ts-expect-error a schema of something that is no dictionary
      await namespace.setWorkSpec({ name: 'spec' }, { schema: z.string() });
    };
    expectTypeOf(compiled).toBeFunction();
  });

  test('are those of the attempts that are asked for', () => {
    const compiled = async (): Promise<void> => {
      const worker = await namespace.worker('w');
      const attempts = await worker.requestAttempts({ workSpecs: [await ofZod()] });
      expectTypeOf(attempts).toEqualTypeOf<Attempt<Output>[]>();
      expectTypeOf(attempts[0]!.data.since).toEqualTypeOf<Date>();
    };
    expectTypeOf(compiled).toBeFunction();
  });

  test('without a schema are those of the type argument, or any', () => {
    const compiled = async (): Promise<void> => {
      const typed = await namespace.setWorkSpec<{ url: string }>({ name: 'spec' });
      expectTypeOf(typed).toEqualTypeOf<WorkSpec<{ url: string }>>();
      // @ts-expect-error a wrong type
      await typed.addWorkUnit('a', { url: 1 });
      const untyped = await namespace.workSpec('spec');
      await untyped.addWorkUnit('a', { anything: 1 });
      const units = async function* (): AsyncGenerator<NewWorkUnit> {
        yield { name: 'a', data: {} };
      };
      await untyped.addWorkUnits(units(), { batchSize: 10 });
    };
    expectTypeOf(compiled).toBeFunction();
  });

  test('a parameter for any spec whose units are read so takes one with a schema', () => {
    const handle = <Data extends DataDictionary>(spec: WorkSpec<Data, never>, handler: (data: Data) => void): void => {
      handler(spec as never);
    };
    const compiled = async (): Promise<void> => handle(await ofZod(), ({ since }) => expectTypeOf(since).toEqualTypeOf<Date>());
    expectTypeOf(compiled).toBeFunction();
  });
});
