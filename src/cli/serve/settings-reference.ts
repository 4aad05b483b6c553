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

function shown(value: unknown): string {
  if (value === undefined || (Array.isArray(value) && value.length === 0)) return '';
  return `\`${typeof value === 'string' ? value || '""' : String(value)}\``;
}
