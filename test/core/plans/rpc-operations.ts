import { randomUUID } from 'node:crypto';
import type { Namespace, WorkUnit } from 'pg-coordinate';
import { readKeyPaths } from '../../../src/cbor-rpc/locks/key-path.js';
import { PathLocks } from '../../../src/cbor-rpc/locks/path-locks.js';
import { childWork } from '../../../src/cbor-rpc/statements/child-work.js';
import { holdUnit } from '../../../src/cbor-rpc/statements/hold-unit.js';
import { listSpecData } from '../../../src/cbor-rpc/statements/list-spec-data.js';
import { countWorkers, modeCounts, workerModes } from '../../../src/cbor-rpc/statements/live-workers.js';
import { unitRecords } from '../../../src/cbor-rpc/statements/read-units.js';
import type { PostgresNamespace } from '../../../src/core/namespace/postgres-namespace.js';
import type { PostgresWorkUnit } from '../../../src/core/work-unit/postgres-work-unit.js';
import type { ExplainedConnection } from './explained.js';
import { few, onAttempt, onAttempts, onSpec, type Operation } from './operation.js';

/* What calls of CBOR-RPC run beside what the core does for them. */

const maxBytes = 1_000_000;
/** All live workers are read: those that other operations leave, but none of those that were deactivated. */
const liveWorkers = 10_000;

const ours = (namespace: Namespace): PostgresNamespace => namespace as unknown as PostgresNamespace;
const idsOf = (units: readonly WorkUnit[]): number[] => (units as unknown as readonly PostgresWorkUnit[]).map(({ id }) => id);

/** Explains what is done with the locks on three paths, two of which are nested, that are held when it begins. */
function onLocks(action: (locks: PathLocks, owner: Uint8Array, paths: ReturnType<typeof readKeyPaths>) => Promise<unknown>): Operation['run'] {
  return async ({ connection: { namespace, explain } }: { readonly connection: ExplainedConnection }) => {
    const locks = new PathLocks(ours(namespace));
    const [owner, label] = [Buffer.from(randomUUID()), randomUUID()];
    const paths = readKeyPaths([[label, 'a', 1], [label, 'b'], [`${label} too`]]);
    if ((await locks.lockAll(owner, 3_600, paths)) !== null) throw new Error('nothing was locked');
    const statements = await explain(() => action(locks, owner, paths));
    await locks.keepOrDrop(owner, null, paths);
    return statements;
  };
}

export const rpcOperations: readonly Operation[] = [
  {
    name: 'over CBOR-RPC: listing what children of a worker do',
    mostRows: few,
    run: onAttempt(async ({ worker }) => {
      const parent = await worker.namespace.worker(`parent of ${worker.name}`);
      await worker.setParent(parent);
      const children = await childWork(ours(worker.namespace), parent.name, maxBytes);
      if (children.get(worker.name)?.length !== 1) throw new Error('the unit of the child is missing');
    }),
  },
  {
    name: 'over CBOR-RPC: keeping a unit from ending',
    mostRows: few,
    run: async (place) => {
      const { coordinate } = place.connection;
      return onAttempt((_, unit) => coordinate.transaction((client) => holdUnit(unit as unknown as PostgresWorkUnit, client)))(place);
    },
  },
  {
    name: 'over CBOR-RPC: listing a page of definitions',
    mostRows: few,
    run: onSpec(({ namespace }) => listSpecData(ours(namespace), { start: 'idle 3', limit: 10, maxBytes })),
  },
  { name: 'over CBOR-RPC: listing the modes of workers', mostRows: liveWorkers, run: onSpec(({ namespace }) => workerModes(ours(namespace))) },
  { name: 'over CBOR-RPC: counting workers by mode', mostRows: liveWorkers, run: onSpec(({ namespace }) => modeCounts(ours(namespace))) },
  { name: 'over CBOR-RPC: counting workers', mostRows: liveWorkers, run: onSpec(({ namespace }) => countWorkers(ours(namespace))) },
  {
    name: 'over CBOR-RPC: reading units that run',
    mostRows: 1_000,
    run: onAttempts((namespace, reports) => unitRecords(ours(namespace), idsOf(reports.map(({ attempt }) => attempt.workUnit)), { maxBytes })),
  },
  {
    name: 'over CBOR-RPC: reading finished units',
    mostRows: 1_000,
    run: async ({ connection: { namespace, spec, explain } }) => {
      const ids = idsOf(await spec.workUnits({ statuses: ['finished'], previousName: 'finished', limit: 20 }));
      return explain(() => unitRecords(ours(namespace), ids, { maxBytes }));
    },
  },
  { name: 'over CBOR-RPC: locking paths', mostRows: few, run: onLocks((locks, owner) => locks.lockSome(owner, 60, readKeyPaths([[randomUUID(), 'a']]))) },
  { name: 'over CBOR-RPC: locking paths that are locked', mostRows: few, run: onLocks((locks, owner, paths) => locks.lockAll(owner, 60, paths)) },
  { name: 'over CBOR-RPC: keeping locks', mostRows: few, run: onLocks((locks, owner, paths) => locks.keepOrDrop(owner, 60, paths)) },
  { name: 'over CBOR-RPC: telling who holds locks', mostRows: few, run: onLocks((locks, _, paths) => locks.holders(paths)) },
  { name: 'over CBOR-RPC: dropping all locks below a label', mostRows: few, run: onLocks((locks, _, paths) => locks.dropBelow(paths[0]!.labels[0]!)) },
];
