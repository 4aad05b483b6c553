import { createWriteStream } from 'node:fs';
import { open as openFile, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { exportNamespace } from '../archive/index.js';
import type { Namespace } from '../core/namespace/namespace.js';
import type { CommandIo } from './command-io.js';
import { countOf, timeText } from './count-text.js';
import { openNamespace } from './open-namespace.js';
import { Output } from './output.js';
import { Progress } from './progress.js';
import { addNamespaceOptions, type CommonOptions } from './settings.js';
import { UsageError } from './usage-error.js';

interface ExportCommandOptions extends CommonOptions {
  readonly force: boolean;
}

const help = `
The format, a sequence of CBOR items, is described in src/archive/README.md of this package. Leases are not exported: what runs counts as waiting.
Pause the work specs, or stop the workers, for the state of one moment.`;

export function addExportCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('export')
    .description('write a namespace to a file: its work specs, units and their history')
    .argument('[file]', 'the file; left out, or -: standard output', '-');
  addNamespaceOptions(command)
    .option('--force', 'replace a file that is there already', false)
    .addHelpText('after', help)
    .action(async (file: string, options: ExportCommandOptions) => {
      if (file === '-' && io.stdout.isTerminal) throw new UsageError('an export is no text: name a file, or send standard output somewhere');
      await using open = await openNamespace(options, io, { connections: 4 });
      if (file === '-') await writeArchive(open.namespace, io.stdout, io);
      else await writeFile(open.namespace, resolve(io.directory, file), options.force, io);
    });
}

/** The file appears when it is whole. */
async function writeFile(namespace: Namespace, path: string, force: boolean, io: CommandIo): Promise<void> {
  const part = `${path}.part`;
  const claimed = force ? null : await reserve(path);
  const stream = createWriteStream(part);
  const opened = new Promise<void>((resolve, reject) => stream.once('open', () => resolve()).once('error', reject));
  try {
    await opened;
    const text = await writeArchive(namespace, new Output(stream), io);
    await new Promise<void>((resolve, reject) => stream.once('error', reject).end(resolve));
    await rename(part, path);
    await io.stdout.line(text);
  } catch (error) {
    stream.destroy();
    await rm(part, { force: true });
    if (claimed !== null) await rm(claimed, { force: true });
    throw error;
  }
}

/** Makes an empty file, unless there is one: nobody else writes there from now on. */
async function reserve(path: string): Promise<string> {
  try {
    await (await openFile(path, 'wx')).close();
    return path;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') throw new UsageError(`${path} is there already; give --force to replace it`, { cause: error });
    throw new UsageError(`${path} cannot be written: ${message}`, { cause: error });
  }
}

/** Resolves to what has been written, in words. */
async function writeArchive(namespace: Namespace, output: Output, io: CommandIo): Promise<string> {
  const total = (await namespace.summarize()).reduce((sum, { count }) => sum + count, 0);
  const progress = new Progress('units', { total, output: io.stderr });
  let units = 0;
  try {
    const onUnit = (): void => {
      units++;
      progress.advance();
    };
    for await (const bytes of exportNamespace(namespace, { signal: io.signal, onUnit })) await output.write(bytes);
  } finally {
    progress.close();
  }
  return `${countOf(units, 'unit')} exported in ${timeText(progress.elapsedMs)}.`;
}
