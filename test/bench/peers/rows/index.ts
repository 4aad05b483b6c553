import { addBatches } from './add-batches.js';
import { addOneByOne } from './add-one-by-one.js';
import { latency, latencyApart } from './latency.js';
import type { Row } from './row.js';
import { held, locked, steady } from './steady-load.js';
import { waiting } from './waiting.js';
import { longWorkOff, single, workOff } from './work-off.js';

/** In the order of the table. */
export const rows: readonly Row[] = [addBatches, addOneByOne, workOff, longWorkOff, single, latency, latencyApart, waiting, steady, held, locked];
