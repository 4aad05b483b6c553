import { wallClock } from '../clock/index.js';
import type { Command } from 'commander';
import { everyNamespace, hashToken, isRole, makeToken, roles, writeTokenEntry } from '../access/index.js';
import { checkName } from '../options/index.js';
import { UsageError } from './usage-error.js';

interface NewTokenOptions {
  readonly name: string;
  readonly role: readonly string[];
  readonly namespace?: readonly string[];
  readonly expires: string;
}

const dayMs = 24 * 3_600_000;

export function addTokenCommand(program: Command): void {
  const command = program.command('token').description('make tokens for those who use `serve`');
  command
    .command('new')
    .description('print a new token, which is kept nowhere, and the line for the file of `serve --tokens` that makes it worth something')
    .requiredOption('--name <name>', 'whose it is: what logs and errors call it')
    .requiredOption('--role <roles...>', `what its holder may do: ${roles.join(', ')}`)
    .option('--namespace <names...>', 'in these namespaces (default: in all)')
    .option('--expires <when>', 'after so many days (90d), from a time on (2027-11-20), or never', '365d')
    .action(printToken);
}

/** The token and the line are all there is on standard output, so that programs can take them. */
function printToken({ name, role, namespace = [everyNamespace], expires }: NewTokenOptions): void {
  const wrong = role.find((given) => !isRole(given));
  if (wrong !== undefined) throw new UsageError(`--role ${wrong} is none of ${roles.join(', ')}`);
  const token = makeToken();
  const line = writeTokenEntry({
    name: checkName(name, 'options.name', { mayBeEmpty: false }),
    hash: hashToken(token),
    roles: new Map(namespace.map((each) => [checkName(each, 'options.namespace'), role.filter(isRole)])),
    expires: expiryOf(expires, wallClock.now()),
  });
  console.error('The token, which is not shown again, and the line for the token file:');
  console.log(`${token}\n${line}`);
}

/** Null: never. */
function expiryOf(text: string, now: Date): Date | null {
  if (text === 'never') return null;
  const [, days] = /^(\d{1,5})d$/.exec(text) ?? [];
  const time = days === undefined ? dateOf(text) : new Date(now.getTime() + Number(days) * dayMs);
  if (time === undefined || time <= now) throw new UsageError('--expires must be such as 90d or 2027-11-20, later than now, or never');
  return time;
}

function dateOf(text: string): Date | undefined {
  const time = new Date(text);
  return /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(time.getTime()) ? time : undefined;
}
