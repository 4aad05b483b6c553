import type { ClientConfig, PoolConfig } from 'pg';

/** What says how a pool works, and nothing about how its clients connect. */
const ofPools: ReadonlySet<string> = new Set([
  'max',
  'min',
  'maxUses',
  'maxLifetimeSeconds',
  'idleTimeoutMillis',
  'allowExitOnIdle',
  'Client',
  'Promise',
  'log',
  'verify',
  'onConnect',
  'pipeline',
]);

/** How the clients of a pool connect, for a connection beside it. The password, which `pg` hides from being listed, is as hidden here. */
export function clientConfigOf(pool: PoolConfig): ClientConfig {
  const config = Object.fromEntries(Object.entries(pool).filter(([name]) => !ofPools.has(name))) as ClientConfig;
  if (pool.password !== undefined) {
    Object.defineProperty(config, 'password', { value: pool.password, enumerable: false, configurable: true, writable: true });
  }
  return config;
}
