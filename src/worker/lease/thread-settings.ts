import type { ClientConfig } from 'pg';

/**
 * Settings of connections as a thread can be given them, or the name of one that it cannot: a function, such as a password that is
 * asked for each time.
 */
export function threadSettings(config: ClientConfig): { readonly settings: ClientConfig } | { readonly obstacle: string } {
  // What `pg` hides from being printed would not be copied.
  const { ssl } = config;
  const shown: Record<string, unknown> = { ...config, password: config.password };
  if (typeof ssl === 'object' && ssl !== null) shown.ssl = { ...ssl, ...('key' in ssl && { key: ssl.key }) };

  const settings: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(shown)) {
    if (harmless.has(name)) continue;
    try {
      settings[name] = structuredClone(value);
    } catch {
      return { obstacle: name };
    }
  }
  return { settings };
}

/** How values are read: the thread reads but two, by the usual parsers. */
const harmless = new Set(['types']);
