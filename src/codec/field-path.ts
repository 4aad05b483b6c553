const IDENTIFIER = /^[A-Za-z_$][\w$]{0,60}$/;
const MAX_KEY_LENGTH = 60;

/** Names a value deep inside another, such as `data.items[3].x` or `data["a key"]`. Numbers stand for places in a list. */
export function fieldPath(field: string, path: readonly unknown[]): string {
  return field + path.map(step).join('');
}

function step(key: unknown): string {
  if (typeof key === 'string' && IDENTIFIER.test(key)) return `.${key}`;
  if (typeof key === 'string') {
    const shown = key.length > MAX_KEY_LENGTH ? `${key.slice(0, MAX_KEY_LENGTH)}…` : key;
    return `[${JSON.stringify(shown)}]`;
  }
  return typeof key === 'object' || typeof key === 'function' ? '[a key]' : `[${key as number}]`;
}
