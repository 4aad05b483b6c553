import type { CoordinateError } from '../../errors/index.js';
import type { Bucket } from '../backend.js';
import type { PostgresNamespace } from '../namespace/postgres-namespace.js';
import { SharedTrips } from '../shared-trips.js';
import type { Attempt } from './attempt.js';
import { findAttempts, type AttemptReference } from './find-attempts.js';

/** How many are looked up together at most: their data come with them. */
const mostTogether = 50;

interface Wanted {
  readonly namespace: PostgresNamespace;
  readonly reference: AttemptReference;
}

/** Looks up attempts that many callers ask for one by one, those of a namespace together. */
export class AttemptFinder {
  readonly #trips: SharedTrips<Wanted, Attempt | CoordinateError>;

  constructor({ backend: { database } }: Bucket) {
    this.#trips = new SharedTrips({ database, most: mostTogether, send: findTogether });
  }

  /** See findAttempts. Raises Gone, Closed. */
  find(namespace: PostgresNamespace, reference: AttemptReference): Promise<Attempt | CoordinateError> {
    return this.#trips.ask(`${namespace.id} ${namespace.name}`, { namespace, reference });
  }
}

async function findTogether(wanted: readonly Wanted[]): Promise<(Attempt | CoordinateError)[]> {
  const [first] = wanted;
  if (first === undefined) return [];
  return findAttempts(first.namespace, wanted.map(({ reference }) => reference));
}
