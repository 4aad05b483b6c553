import type { ManualClock } from '../../src/clock/index.js';
import type { Coordinate, NamespaceQuery } from '../../src/core/coordinate.js';
import type { Summary } from '../../src/core/summary/summary.js';
import { checkList, checkName, checkOptions } from '../../src/options/index.js';
import { MemoryNamespace } from './memory-namespace.js';
import { compareText } from './order.js';
import { requireOpen, type NamespaceRecord, type Store } from './state.js';
import { summarizeNamespace } from './summarize.js';

/** What the reference cannot make up by itself. */
export interface MemoryOptions {
  readonly clock: ManualClock;
  /** Numbers in [0, 1); called once for each choice of a work spec. */
  readonly random: () => number;
}

/** A Coordinate in memory, empty at first. */
export function memoryCoordinate({ clock, random }: MemoryOptions): Coordinate {
  return new MemoryCoordinate({ clock, random, namespaces: new Map(), lastAttemptNumber: 0, closed: false });
}

class MemoryCoordinate implements Coordinate {
  constructor(private readonly store: Store) {}

  async namespace(name: string): Promise<MemoryNamespace> {
    checkName(name, 'name');
    requireOpen(this.store);
    const record = this.store.namespaces.get(name) ?? newNamespace(this.store, name);
    this.store.namespaces.set(name, record);
    return new MemoryNamespace(this, record);
  }

  async namespaces(query?: NamespaceQuery): Promise<MemoryNamespace[]> {
    const { names } = checkOptions(query, 'query', ['names']);
    const wanted = names && checkList(names, 'query.names', checkName);
    requireOpen(this.store);
    return this.byName().filter(({ name }) => wanted?.includes(name) ?? true).map((record) => new MemoryNamespace(this, record));
  }

  async summarize(): Promise<Summary> {
    requireOpen(this.store);
    return this.byName().flatMap(summarizeNamespace);
  }

  async now(): Promise<Date> {
    requireOpen(this.store);
    return this.store.clock.now();
  }

  async close(): Promise<void> {
    this.store.closed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  private byName(): NamespaceRecord[] {
    return [...this.store.namespaces.values()].sort((a, b) => compareText(a.name, b.name));
  }
}

function newNamespace(store: Store, name: string): NamespaceRecord {
  return { store, name, specs: new Map(), workers: new Map() };
}
