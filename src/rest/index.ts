export { connectRest } from './client/connect-rest.js';
export type { RestClientOptions } from './client/rest-client-options.js';
export type { RestCoordinate } from './client/rest-coordinate.js';
export type { RestServerOptions } from './server/rest-options.js';
export { serveRest, type RestServer } from './server/serve-rest.js';
