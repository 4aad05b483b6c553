import { CommanderError } from 'commander';
import { CoordinateError } from '../errors/index.js';
import type { CommandIo } from './command-io.js';
import { exitCodes } from './exit-codes.js';
import { InterruptedError } from './interrupted-error.js';
import { OutputClosedError } from './output.js';
import { buildProgram } from './build-program.js';
import { FoundError } from './found-error.js';
import { UsageError } from './usage-error.js';

/** Runs the command that the arguments name; resolves to the exit code. Errors are one sentence on standard error. */
export async function runProgram(args: readonly string[], io: CommandIo): Promise<number> {
  const program = await buildProgram(args, io);
  try {
    if (args.length === 0) {
      program.outputHelp({ error: true });
      return exitCodes.misused;
    }
    await program.parseAsync([...args], { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof OutputClosedError) return exitCodes.done;
    if (error instanceof CommanderError && error.exitCode === 0) return exitCodes.done;
    // A command of which only the first word was given has printed its help instead.
    if (error instanceof CommanderError && error.code === 'commander.help') return exitCodes.misused;
    if (error instanceof FoundError) return exitCodes.found;
    // What is told to end raises all kinds of errors; the first was that it was told to.
    const { reason } = io.signal as { readonly reason: unknown };
    const cause = reason instanceof InterruptedError && isAbort(error) ? reason : error;
    await io.stderr.line(`pg-coordinate: ${sentenceOf(cause)}`).catch(() => undefined);
    if (cause instanceof InterruptedError) return cause.exitCode;
    return isMisuse(cause) ? exitCodes.misused : exitCodes.failed;
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof InterruptedError || (error instanceof Error && error.name === 'AbortError');
}

/** Whether the arguments were wrong, not what came of them. */
function isMisuse(error: unknown): boolean {
  if (error instanceof CoordinateError) return error.code === 'InvalidArgument';
  return error instanceof CommanderError || error instanceof UsageError;
}

function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text =
    error instanceof CoordinateError && error.code === 'InvalidArgument'
      ? misuseText(error)
      : error.message.replace(/^error: /, '') + (isUnknownCommand(error) ? '; pg-coordinate --help lists those there are' : '');
  // How to send a token is for those who write a client.
  const said = text.replace('send it as "Authorization: Bearer <token>"', 'give it as --token, or as PG_COORDINATE_TOKEN');
  // Names and other people's messages may hold what would do something to the terminal.
  return said.replaceAll(/\s*\n\s*/g, ' ').replaceAll(/\p{Cc}+/gu, ' ');
}

/** A command that nearly is one is suggested by commander. */
function isUnknownCommand(error: Error): boolean {
  return error instanceof CommanderError && error.code === 'commander.unknownCommand' && !error.message.includes('Did you mean');
}

function misuseText(error: CoordinateError): string {
  const { problem } = error.details;
  if (String(problem).startsWith('says no database')) {
    return 'there is no database to work on: give --database, such as postgres://localhost/app or http://127.0.0.1:5980, or set DATABASE_URL';
  }
  return `${optionOf(error)} ${String(problem).replaceAll(/\boptions\.(\w+)/g, '--$1')}`;
}

/** What is called here an option that the library calls `target` or `options.schema`; a field of some data stays what it is. */
function optionOf({ details }: CoordinateError): string {
  const field = String(details.field);
  if (field === 'target') return '--database';
  // Handlers come from a module.
  if (/^options\.handlers\b/.test(field)) return field.replace('options.', '');
  return /^options\.\w+$/.test(field) ? field.replace('options.', '--') : field;
}
