export { keepLeases } from './keep-leases.js';
export type { LeaseKeeper, LeaseKeeperOptions } from './lease-keeper.js';
