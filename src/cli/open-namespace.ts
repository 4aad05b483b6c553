import type { Coordinate } from '../core/coordinate.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { WorkSpec } from '../core/work-spec/work-spec.js';
import type { WorkUnit } from '../core/work-unit/work-unit.js';
import { NoSuchWorkSpecError, NoSuchWorkUnitError } from '../errors/index.js';
import type { CommandIo } from './command-io.js';
import { connectTarget, type ConnectionNeeds } from './connect-target.js';
import { readSettings, type CommonOptions, type Settings } from './settings.js';
import { shownName, unitNameOf } from './shown-name.js';
import { suggestion } from './suggestion.js';

/** What a command works with: close it at the end. */
export interface OpenNamespace extends AsyncDisposable {
  readonly settings: Settings;
  readonly coordinate: Coordinate;
  readonly namespace: Namespace;
}

export interface OpenOptions extends ConnectionNeeds {
  /** Whether the namespace is made if it is not there; otherwise that is an error. @default false */
  readonly create?: boolean;
}

/** Connects, and finds the namespace that the settings name. */
export async function openNamespace(options: CommonOptions, io: CommandIo, needs: OpenOptions = {}): Promise<OpenNamespace> {
  const settings = await readSettings(options, io);
  const coordinate = await connectTarget(settings, io, needs);
  try {
    const name = settings.namespace ?? '';
    const namespace = needs.create === true ? await coordinate.namespace(name) : await existingNamespace(coordinate, name);
    return { settings, coordinate, namespace, [Symbol.asyncDispose]: () => coordinate.close() };
  } catch (error) {
    await coordinate.close();
    throw error;
  }
}

/** Asking for a namespace makes it; looking at one must not. */
async function existingNamespace(coordinate: Coordinate, name: string): Promise<Namespace> {
  const namespaces = await coordinate.namespaces();
  const found = namespaces.find((namespace) => namespace.name === name);
  if (found !== undefined) return found;
  const names = namespaces.map((namespace) => namespace.name);
  throw new Error(`There is no namespace ${shownName(name)}${suggestion(name, names)}; name another one with --namespace`);
}

/** The work spec of this name; the error suggests one that there is. */
export async function findWorkSpec(namespace: Namespace, name: string): Promise<WorkSpec> {
  try {
    return await namespace.workSpec(name);
  } catch (error) {
    if (!(error instanceof NoSuchWorkSpecError)) throw error;
    const names = await namespace.workSpecNames();
    throw new Error(`There is no work spec ${shownName(name)} in the namespace ${shownName(namespace.name)}${suggestion(name, names)}`, {
      cause: error,
    });
  }
}

/** The unit of this name. */
export async function findWorkUnit(spec: WorkSpec, name: string): Promise<WorkUnit> {
  try {
    return await spec.workUnit(unitNameOf(name));
  } catch (error) {
    if (!(error instanceof NoSuchWorkUnitError)) throw error;
    throw new Error(`There is no work unit ${shownName(name)} in the work spec ${shownName(spec.name)}; pg-coordinate units lists those there are`, {
      cause: error,
    });
  }
}
