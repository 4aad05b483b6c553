import { fileKeyOf, settingsTable, variableOf, type Setting, type SettingName } from './settings-table.js';

/** The table of the README, in Markdown. */
export function settingsReference(): string {
  const rows = Object.entries<Setting>(settingsTable).map(([name, setting]) => {
    const { placeholder, variables = [], says } = setting;
    const flag = placeholder === undefined ? `--${name}` : `--${name} ${placeholder}`;
    const environment = [variableOf(name), ...variables].map((variable) => `\`${variable}\``).join(', ');
    return `| \`${flag}\` | ${environment} | \`${fileKeyOf(name as SettingName)}\` | ${shown(setting.default)} | ${says} |`;
  });
  return ['| flag | environment | file | default | |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function shown(value: Setting['default']): string {
  const text = defaultText(value);
  return text === '' ? '' : `\`${text}\``;
}

/** The default of a setting, for people; nothing where there is none, or it is empty. */
export function defaultText(value: Setting['default']): string {
  return value === undefined ? '' : value.toString();
}
