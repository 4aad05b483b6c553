import { UsageError } from '../usage-error.js';
import { readConfigFile, type ConfigFile } from './config-file.js';
import { fileKeyOf, settingsTable, variableOf, type ServeSettings, type Setting, type SettingName } from './settings-table.js';

/** What was given on the command line, by the names of the table, and the file that it names. */
export type GivenFlags = Readonly<Partial<Record<SettingName | 'config', unknown>>>;

/** What is set, and the file that some of it is from. */
export interface ReadSettings {
  readonly settings: ServeSettings;
  readonly file: ConfigFile | null;
}

/** What the flags say; else the environment; else the file; else the default. Raises UsageError, which says who has said it. */
export async function readSettings(flags: GivenFlags, environment: NodeJS.ProcessEnv, directory: string): Promise<ReadSettings> {
  const named = flags.config ?? setIn(environment[variableOf('config')]);
  const file = await readConfigFile(named as string | undefined, environment, directory);
  const entries = Object.keys(settingsTable).map((key) => {
    const name = key as SettingName;
    const setting: Setting = settingsTable[name];
    const origin = firstOrigin(name, setting, flags, environment, file);
    if (origin === undefined) return [name, setting.default];
    const value = setting.read(origin.given);
    // What was given may be a secret in the wrong place.
    if (value === undefined) throw new UsageError(`${origin.from} must be ${setting.must}`);
    return [name, value];
  });
  return { settings: Object.fromEntries(entries) as ServeSettings, file };
}

/** An empty variable is one that is not set. */
function setIn(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function firstOrigin(
  name: SettingName,
  { variables = [] }: Setting,
  flags: GivenFlags,
  environment: NodeJS.ProcessEnv,
  file: ConfigFile | null,
): { readonly given: unknown; readonly from: string } | undefined {
  if (flags[name] !== undefined) return { given: flags[name], from: `--${name}` };
  const variable = [variableOf(name), ...variables].find((candidate) => setIn(environment[candidate]) !== undefined);
  if (variable !== undefined) return { given: environment[variable], from: `the environment's ${variable}` };
  const given = file?.values[name];
  return given === undefined || given === null ? undefined : { given, from: `${fileKeyOf(name)} in ${file?.path}` };
}
