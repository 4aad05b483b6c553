import type { Command } from 'commander';
import type { GivenFlags } from './read-settings.js';
import { defaultText } from './settings-reference.js';
import { settingsTable, type Setting } from './settings-table.js';

export function addServeCommand(program: Command): void {
  const command = program
    .command('serve')
    .description('serve the queue over HTTP and CBOR-RPC, on a PostgreSQL of its own when no database is given')
    .option('--config <file>', 'a YAML file: keys of this command under `serve`; what is not about this program, clients of CBOR-RPC get (default: pg-coordinate.yaml)');
  // All of them are text, and none has a default: which is which is decided where the environment and the file are known.
  const flags = new Map<string, string>();
  for (const [name, { placeholder, says, default: standard }] of Object.entries<Setting>(settingsTable)) {
    const text = standard === false ? '' : defaultText(standard);
    command.option(`--${name}${placeholder === undefined ? '' : ` ${placeholder}`}`, text === '' ? says : `${says} (default: ${text})`);
    flags.set(name.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase()), name);
  }
  command.action(async (options: Readonly<Record<string, unknown>>) => {
    const given = Object.entries(options).map(([key, value]) => [flags.get(key) ?? key, value]);
    // Loaded only here: the servers and what they are made of take as long to load as all other commands together.
    const { runServe } = await import('./run-serve.js');
    await runServe(Object.fromEntries(given) as GivenFlags);
  });
}
