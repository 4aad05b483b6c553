export { Access, everyNamespace, openAccess } from './access.js';
export { checkHost } from './check-host.js';
export { isLoopback } from './is-loopback.js';
export { roles, type Role } from './role.js';
export type { TlsIdentity } from './tls-identity.js';
export { isRole, readTokenEntry, writeTokenEntry, type TokenEntry } from './token-entry.js';
export { TokenFile } from './token-file.js';
export { hashToken, isToken, makeToken } from './token.js';
