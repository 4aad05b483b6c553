export type { RestServerOptions } from './server/rest-options.js';
export { serveRest, type RestServer } from './server/serve-rest.js';
