/*
 * The product as `npm run build` makes it: what users run. Compiled on the fly it would be slower, as the loader adds a call to every function
 * that is made.
 */
import type * as internals from '../../../src/database/index.js';
import type * as core from 'pg-coordinate';
import type * as embedded from 'pg-coordinate/embedded';
import type * as runtime from 'pg-coordinate/worker';

const dist = new URL('../../../dist/', import.meta.url);
const load = async (file: string): Promise<unknown> => import(new URL(file, dist).href);

export const { connect } = (await load('index.js')) as typeof core;
export const { createWorker } = (await load('worker/index.js')) as typeof runtime;
/** Not for users, but plain SQL may send its parameters as well as the product does. */
export const { byteaArray } = (await load('database/index.js')) as typeof internals;
export const { startEmbeddedPostgres } = (await load('database/embedded/index.js')) as typeof embedded;
