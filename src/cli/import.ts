import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { importNamespace } from '../archive/index.js';
import { InvalidArgumentError } from '../errors/index.js';
import type { CommandIo } from './command-io.js';
import { connectTarget } from './connect-target.js';
import { countOf, timeText } from './count-text.js';
import { Progress } from './progress.js';
import { addNamespaceOptions, readSettings, type CommonOptions } from './settings.js';
import { shownName } from './shown-name.js';
import { UsageError } from './usage-error.js';

const help = `
All or nothing: nothing runs before everything is in, and whatever goes wrong, Ctrl-C included, removes what was made.`;

export function addImportCommand(program: Command, io: CommandIo): void {
  const command = program
    .command('import')
    .description('fill a namespace that has no work specs from an export')
    .argument('[file]', 'the file; left out, or -: standard input', '-');
  addNamespaceOptions(command)
    .addHelpText('after', help)
    .action((file: string, options: CommonOptions) => importFile(file, options, io));
}

async function importFile(file: string, options: CommonOptions, io: CommandIo): Promise<void> {
  if (file === '-' && io.stdin.isTTY === true) throw new UsageError('name the file of an export, or send it to standard input');
  const { source, total, bytesRead } = await open(file, io);
  const settings = await readSettings(options, io);
  await using coordinate = await connectTarget(settings, io, { connections: 4 });
  const name = settings.namespace ?? '';
  const isNew = !(await coordinate.namespaces()).some((namespace) => namespace.name === name);
  const namespace = await coordinate.namespace(name);
  const progress = new Progress('units', { total, output: io.stderr });
  try {
    const onUnit = (): void => progress.advance(1, bytesRead?.());
    const { workSpecs, units } = await importNamespace(namespace, source, { signal: io.signal, onUnit });
    progress.close();
    const what = `${countOf(workSpecs, 'work spec')} and ${countOf(units, 'unit')}`;
    await io.stdout.line(`${what} imported into the namespace ${shownName(name)} in ${timeText(progress.elapsedMs)}.`);
  } catch (error) {
    progress.close();
    if (isNew) await namespace.destroy();
    if (!(error instanceof InvalidArgumentError)) throw error;
    const what = error.details.field === 'archive' ? shownFile(file) : `The namespace ${shownName(name)}`;
    throw new Error(`${what} ${error.details.problem}`, { cause: error });
  }
}

interface Source {
  readonly source: Readable;
  readonly total: number | undefined;
  readonly bytesRead?: () => number;
}

async function open(file: string, { stdin, directory }: CommandIo): Promise<Source> {
  if (file === '-') return { source: stdin, total: undefined };
  const path = resolve(directory, file);
  const about = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`, { cause: error });
  });
  const source = createReadStream(path);
  return about.isFile() ? { source, total: about.size, bytesRead: () => source.bytesRead } : { source, total: undefined };
}

function shownFile(file: string): string {
  return file === '-' ? 'Standard input' : file;
}
