import { extname } from 'node:path';

/** The program of a host: TypeScript when this package is run from its sources. */
export const hostProgram = new URL(`./host${extname(new URL(import.meta.url).pathname)}`, import.meta.url);
