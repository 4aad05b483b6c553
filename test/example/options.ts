import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

export interface Options {
  readonly folder: string;
  /** Which of the folder's files to count. */
  readonly suffixes: RegExp;
  readonly workers: number;
  readonly killOne: boolean;
  /** The worker processes reach the queue over HTTP. */
  readonly viaHttp: boolean;
  /** How long after a worker was killed its units are given to others. One that lives renews its leases well before. */
  readonly leaseMs: number;
  readonly keep: boolean;
  readonly json: boolean;
  readonly schema: string;
  readonly help: boolean;
}

export const usage = `Counts the words and links of all text files in a folder, by several processes that share a queue.

  npm start                       the Markdown files of this project's own dependencies
  npm start -- ./docs             the text files of any folder
  npm start -- --kill-one         the same, while one of the workers is killed half way: nothing changes

  --workers <number>   how many worker processes (4)
  --kill-one           kill -9 one of them half way, while it holds work
  --via-http           the workers reach the queue over HTTP, and know nothing of PostgreSQL
  --lease-seconds <n>  how long after a worker was killed others are given its units (5)
  --json               print nothing but the result, as JSON
  --keep               with DATABASE_URL: leave the namespace there, to look at
  --schema <name>      with DATABASE_URL: the schema of the queue's tables (coordinate)

The database is a temporary PostgreSQL of its own, or the one of the environment variable DATABASE_URL, in which the job has a new
namespace that is removed at the end.`;

const dependencies = fileURLToPath(new URL('../../node_modules', import.meta.url));

/** Raises an error that says what is wrong with the arguments. */
export function parseOptions(args: readonly string[], environment: NodeJS.ProcessEnv): Options {
  const { values, positionals } = parse([...args]);
  const [folder, ...more] = positionals;
  const workers = Number(values.workers);
  if (more.length > 0) throw new Error('give one folder, not several');
  if (!(Number.isInteger(workers) && workers >= 1 && workers <= 64)) throw new Error('--workers must be from 1 to 64');
  const leaseMs = 1_000 * Number(values['lease-seconds']);
  if (!(leaseMs >= 1_000 && leaseMs <= 3_600_000)) throw new Error('--lease-seconds must be from 1 to 3600');
  if (values['kill-one'] && workers === 1) throw new Error('--kill-one needs another worker that goes on: give --workers 2 or more');
  if (values.keep && !environment.DATABASE_URL) throw new Error('--keep needs a DATABASE_URL: our own PostgreSQL is temporary');
  return {
    // npm runs scripts in the package's folder; INIT_CWD is the one the user is in.
    folder: folder === undefined ? dependencies : resolve(environment.INIT_CWD ?? '', folder),
    suffixes: folder === undefined ? /\.md$/i : /\.(md|markdown|txt|text|rst|adoc|org|tex|html?)$/i,
    workers,
    killOne: values['kill-one'],
    viaHttp: values['via-http'],
    leaseMs,
    keep: values.keep,
    json: values.json,
    schema: values.schema,
    help: values.help,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      allowPositionals: true,
      options: {
        workers: { type: 'string', default: '4' },
        'kill-one': { type: 'boolean', default: false },
        'via-http': { type: 'boolean', default: false },
        'lease-seconds': { type: 'string', default: '5' },
        keep: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        schema: { type: 'string', default: 'coordinate' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    // What follows the first sentence is about file names that begin with a dash.
    const [sentence] = (error as Error).message.split('. ', 1);
    throw new Error(`${sentence}; npm start -- --help tells the options`, { cause: error });
  }
}
